"""The generator of the sample city: a fictional city's export, record by record.

Everything is drawn from a seed and computed from artificial parts: the division code 9901xx is not
assigned, the place 样川 does not exist, names are made of the sixty-year cycle, codes and numbers
carry valid check digits over serials that no registry issues. Nothing here knows the validator's
rules; titles and kinds of columns come from the packs.
"""
