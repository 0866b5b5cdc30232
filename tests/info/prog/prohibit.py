#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""prohibit.py LINK ADDRESS PORT - end a path as a peer does that will not have it

Sends one MP_TCPRST (RFC 8684, 3.6), "administratively prohibited", on the TCP connection
whose packets come in on LINK to ADDRESS and PORT, once it has come up. Linux sends that only
before a join is complete, when a Linux client does not heed it; others send it later.
"""
import socket
import struct
import sys

PROHIBITED = 3
MP_TCPRST = struct.pack("!BBBB", 30, 4, 8 << 4, PROHIBITED)
QUIET_S = 0.5
RST = 4


def last_packet(sniffer, address, port):
    """The last one before a silence: its source and what it acknowledges."""
    last = None
    sniffer.settimeout(10)
    try:
        while True:
            packet = sniffer.recv(2048)
            if packet[9] != socket.IPPROTO_TCP or packet[16:20] != address:
                continue
            tcp = packet[(packet[0] & 15) * 4:]
            source, target, _, ack = struct.unpack("!HHII", tcp[:12])
            if target == port:
                last = packet[12:16], source, ack
                sniffer.settimeout(QUIET_S)
    except TimeoutError:
        return last


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def main():
    link, address, port = sys.argv[1], socket.inet_aton(sys.argv[2]), int(sys.argv[3])
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    sniffer.bind((link, 0x0800))
    print("ready", flush=True)
    peer, peer_port, ack = last_packet(sniffer, address, port)

    def segment(check):
        return struct.pack("!HHIIBBHHH", port, peer_port, ack, 0, 6 << 4, RST, 0,
                           check, 0) + MP_TCPRST

    pseudo = address + peer + struct.pack("!HH", socket.IPPROTO_TCP, len(segment(0)))
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.bind((sys.argv[2], 0))
    raw.sendto(segment(checksum(pseudo + segment(0))), (socket.inet_ntoa(peer), 0))


main()
