"""The ledger on the office's console: campaigns with their workbooks, and items."""

from api.console.ledger import campaigns, items

routes = (campaigns.routes, items.routes)
