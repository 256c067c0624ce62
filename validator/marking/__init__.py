"""The user's own workbook back, with the cells of violations coloured and commented.

The package is edited part by part: what is not marked is copied as it stands (sheets, formats,
formulas, charts, images, macros). `marks` collects what to say where, `sheet_part`, `style_part`
and `note_parts` change the three kinds of parts, `package` writes the container, `books` tells the
story. Nothing is judged here, and an input is never written to.
"""
