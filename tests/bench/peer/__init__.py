"""The peer: the same routes as a good team would write them with FastAPI, SQLAlchemy 2 async and pydantic.

Same tables, same replies (the product's own pydantic forms), same check of the access token; rows locked, changed,
logged and promised in one transaction. It does less than the product: it believes the token, where the product also
asks whether the sign-in still holds, limits rates, counts for Prometheus and names each request.
"""
