"""What schemathesis has to be told to send: bodies of resumable uploads are bytes."""

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def as_bytes(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
