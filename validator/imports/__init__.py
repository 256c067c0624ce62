"""What an official source declares, read and laid beside the packs.

A source is a front exchange database (`database`) or the spreadsheet a bureau holds (`dictionary`);
both become `official.Official`. `differences` compares, `write` makes the overlay. Nothing here
judges records.
"""
