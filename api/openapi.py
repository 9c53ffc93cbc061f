"""The OpenAPI 3.1 document."""

from api.wire import Routes

routes = Routes("operations", tag="接口文档")
