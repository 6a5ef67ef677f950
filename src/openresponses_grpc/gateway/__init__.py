"""The HTTP gateway: serves streams as server-sent events to browsers, curl and the SDKs of the API.

The gateway is a client of the stream service and keeps no state.
"""

from ._app import Gateway
from ._server import running_gateway

__all__ = ["Gateway", "running_gateway"]
