/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the broker's one thread
 */
#pragma once

struct broker;

/* broker_run() - until a signal ends it. Return: 0; -errno. */
int broker_run(struct broker *b);
