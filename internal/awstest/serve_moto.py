"""Serves moto like its own moto_server, with DynamoDB transactions made fit for
concurrent tests. Moto's own cancel a transaction by putting back a copy of the
whole table made before, which loses what was written meanwhile and which it
makes once for each item of the transaction.

Here requests to DynamoDB are answered one at a time, and what is copied is the
partitions that the transaction touches.
"""

import copy
import threading
from collections import defaultdict

from moto import server
from moto.dynamodb import models, responses
from moto.dynamodb.models.dynamo_type import DynamoType

lock = threading.RLock()
touched = []  # keys of the partitions of the transaction under way

answer = responses.DynamoHandler.call_action
transact = models.DynamoDBBackend.transact_write_items


def answer_alone(self):
    with lock:
        return answer(self)


def transact_touching(self, transact_items):
    for step in transact_items:
        for operation in step.values():
            table = self.get_table(operation["TableName"])
            key = operation.get("Key") or operation["Item"]
            touched.append(DynamoType(key[table.hash_key_attr]))
    try:
        return transact(self, transact_items)
    finally:
        touched.clear()


class Copier:
    """Stands in for the module copy within moto's backend."""

    copy = staticmethod(copy.copy)

    @staticmethod
    def deepcopy(value):
        if not touched or not isinstance(value, models.Table):
            return copy.deepcopy(value)
        table = copy.copy(value)
        table.items = defaultdict(dict, value.items)
        for key in touched:
            if key in value.items:
                table.items[key] = copy.deepcopy(value.items[key])
        return table


responses.DynamoHandler.call_action = answer_alone
models.DynamoDBBackend.transact_write_items = transact_touching
models.copy = Copier

server.main()
