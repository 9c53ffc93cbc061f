"""An invented development zone, made by a seeded script: roster, items, policies, photographs, documents.

`python -m deploy.sample` writes everything again, byte for byte, beside this file. The workbooks follow
`docs/formats.md`. Texts a clerk would write are in `text/*.csv`; the scripts only draw and combine.
"""
