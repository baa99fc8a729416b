"""objects.py - objects, dictionaries, text and JSON: objects.py COUNT."""
import hashlib
import json
import random
import re
import sys


class Order:
    def __init__(self, number, draw):
        self.number = number
        self.client = f"client {draw.randrange(5000)}"
        self.items = {f"item{draw.randrange(300)}": draw.randrange(1, 20) for _ in range(draw.randrange(1, 9))}

    def total(self):
        return sum(self.items.values())


def books(count, draw):
    """Orders in and out: a tenth of them stays open all the time."""
    open_orders, lines = [], []
    for number in range(count):
        order = Order(number, draw)
        open_orders.append(order)
        if len(open_orders) > count // 10:
            done = open_orders.pop(draw.randrange(len(open_orders)))
            lines.append(f"{done.number};{done.client};{done.total()}")
    by_client = {}
    for order in open_orders:
        by_client.setdefault(order.client, []).append(vars(order))
    return lines, by_client


def main():
    draw = random.Random(17)
    lines, by_client = books(int(sys.argv[1]), draw)
    text = json.dumps(by_client, sort_keys=True)
    back = json.loads(text)
    assert back == by_client
    words = re.findall(r"[a-z]+\d*", text)
    lines.sort(key=lambda line: line.split(";")[1])
    digest = hashlib.sha256("\n".join(lines).encode() + " ".join(sorted(set(words))).encode())
    print(digest.hexdigest(), len(words))


main()
