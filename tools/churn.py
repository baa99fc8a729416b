"""churn.py - make and drop a few hundred megabytes of small objects: what quickstart shows midden at work on.

With PYTHONMALLOC=malloc every object is one malloc, and every drop one free.
"""
import random
import sys

ROUNDS, RECORDS, KEEP = 4, 100_000, 20_000


def record(number):
    return {"id": number, "name": f"record {number}", "text": "x" * (number % 1_000)}


def record_bytes(made):
    return sys.getsizeof(made) + sum(map(sys.getsizeof, made.values()))


def main():
    bytes_made = 0
    for _ in range(ROUNDS):
        batch = [record(number) for number in range(RECORDS)]
        bytes_made += sum(map(record_bytes, batch))
        kept = random.sample(batch, KEEP)
        del batch
    print(f"churn.py: made {ROUNDS * RECORDS:,} records, {bytes_made >> 20} MiB; {len(kept):,} of the last are kept")


if __name__ == "__main__":
    main()
