"""`make bundle`: a folder from which spgl is installed without a network. Not part of the wheel."""
