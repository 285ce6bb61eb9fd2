"""What the Python interpreter is recorded with: text, patterns, classes, JSON, sorting."""

import json
import re


class Order:
    def __init__(self, number, customer, lines):
        self.number = number
        self.customer = customer
        self.lines = lines

    def total(self):
        return sum(price * count for _, price, count in self.lines)


def text_of(orders):
    out = []
    for order in orders:
        for name, price, count in order.lines:
            out.append(f"{order.number:06d} {order.customer:<12} {name}={price}x{count}")
    return "\n".join(out)


def make(count, seed):
    orders = []
    for number in range(count):
        lines = []
        for line in range(number % 7 + 1):
            seed = (seed * 1103515245 + 12345) % 2**31
            lines.append((f"article-{seed % 997}", seed % 4999 / 100, line + 1))
        orders.append(Order(number, f"customer {seed % 211}", lines))
    return orders


def parse(text):
    pattern = re.compile(r"(\d+) (customer \d+)\s+([a-z]+)-(\d+)=([\d.]+)x(\d+)")
    found = {}
    for line in text.split("\n"):
        number, customer, kind, article, price, count = pattern.match(line).groups()
        found.setdefault(customer, []).append(
            {"order": int(number), "article": f"{kind}-{article}", "sum": float(price) * int(count)}
        )
    return found


for round_ in range(4):
    orders = make(250, round_ + 1)
    found = parse(text_of(orders))
    again = json.loads(json.dumps(found, indent=1))
    assert again == found
    ranked = sorted(orders, key=lambda order: (-order.total(), order.customer))
    words = sorted({word for line in text_of(ranked[:200]).split("\n") for word in line.split()})
    matrix = [[str(a * b) for a in range(30)] for b in range(30)]
    total = sum(int(cell) for row in matrix for cell in row)
print(len(words), total)
