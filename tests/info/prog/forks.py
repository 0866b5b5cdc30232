#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""forks.py ADDRESS PORT - connect, fork, and keep the connection in both processes"""
import os
import socket
import sys

conn = socket.create_connection((sys.argv[1], int(sys.argv[2])))
conn.sendall(b"hello")
conn.recv(5)
child = os.fork()
if child:
    print("connected, child", child, flush=True)
sys.stdin.read()
