"""`items.xlsx`, in and out (docs/formats.md)."""

from models.ledger.workbook.importing import Imported, SimilarRow, import_items
from models.ledger.workbook.writing import export_items

__all__ = ["Imported", "SimilarRow", "export_items", "import_items"]
