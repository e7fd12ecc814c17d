"""Delivery of webhooks by the Standard Webhooks scheme, at least once, and only to where it is harmless.

    outbox (grader.store) -> Deliverer -> address (may we go there?) -> Sender (one try) -> outbox, log

https://www.standardwebhooks.com is the scheme: ``webhook-id`` stays the same over all tries of one event,
``webhook-timestamp`` is the try's, ``webhook-signature`` signs both and the body.
"""
