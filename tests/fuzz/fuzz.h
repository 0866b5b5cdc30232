/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the input of a fuzzer, as numbers and bytes
 *
 * One libFuzzer program a file. Each is linked with the real sources, and must give the
 * same result for the same input: a target keeps no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_TARGET(data, size)                              \
	int LLVMFuzzerTestOneInput(const uint8_t *, size_t); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)

/* A rule that holds for every input. libFuzzer keeps an input that breaks it. */
#define fuzz_check(holds, ...)                        \
	do {                                          \
		if (!(holds)) {                       \
			fprintf(stderr, "BROKEN: ");  \
			fprintf(stderr, __VA_ARGS__); \
			fprintf(stderr, "\n");        \
			abort();                      \
		}                                     \
	} while (0)

struct input {
	const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *in)
{
	return in->end - in->at;
}

/* Fill @to; what the input does not have is 0. */
static inline void input_take(struct input *in, void *to, size_t size)
{
	const size_t n = input_left(in) < size ? input_left(in) : size;

	memset(to, 0, size);
	if (n)
		memcpy(to, in->at, n);
	in->at += n;
}

static inline uint8_t input_u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline uint16_t input_u16(struct input *in)
{
	uint16_t value;

	input_take(in, &value, sizeof(value));
	return value;
}

/* The next @size bytes, in memory that ends with them. The caller frees it. */
static inline void *input_copy(struct input *in, size_t size)
{
	void *copy = malloc(size ?: 1);

	fuzz_check(copy, "no memory");
	input_take(in, copy, size);
	return copy;
}
