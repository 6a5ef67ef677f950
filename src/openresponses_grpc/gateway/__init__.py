"""The HTTP gateway: streams as server-sent events, for browsers, curl and the SDKs of the API.

It is a client of the stream service and keeps no state.
"""

from ._app import Gateway
from ._server import running_gateway

__all__ = ["Gateway", "running_gateway"]
