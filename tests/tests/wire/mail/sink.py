"""A mail server that delivers nothing: it prints its port, and then each message it is sent, one JSON object a line.

Its argument says how many messages it answers with 451 before it takes the next ones.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


def say(what):
    print(json.dumps(what), flush=True)


class Sink:
    def __init__(self, refused):
        self.refused = refused

    async def handle_DATA(self, server, session, envelope):
        self.refused -= 1
        taken = self.refused < 0
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)

        def header(name):
            value = message[name]
            return None if value is None else str(value)

        def part(kind):
            body = message.get_body(preferencelist=(kind,))
            return None if body is None else body.get_content().replace("\r\n", "\n")

        date = message["date"]
        say(
            {
                "status": 250 if taken else 451,
                "envelope": {"from": envelope.mail_from, "to": envelope.rcpt_tos},
                "from": header("from"),
                "to": header("to"),
                "subject": header("subject"),
                "messageId": header("message-id"),
                "autoSubmitted": header("auto-submitted"),
                "dated": date is not None and date.datetime is not None,
                "type": message.get_content_type(),
                "text": part("plain"),
                "html": part("html"),
            }
        )
        return "250 OK" if taken else "451 4.3.0 Not now"


async def main():
    sink = Sink(int(sys.argv[1]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example"), "127.0.0.1", 0)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
