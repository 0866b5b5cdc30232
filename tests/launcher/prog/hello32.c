// SPDX-License-Identifier: MIT
/*
 * hello32.c - a 32-bit program that needs no 32-bit C library
 */
static const char text[] = "hello\n";

void _start(void);

void _start(void)
{
	int number = 4, ignored; /* write */

	__asm__ volatile("int $0x80"
			 : "=a"(ignored)
			 : "a"(number), "b"(1), "c"(text), "d"(sizeof(text) - 1)
			 : "memory");
	for (;;) /* exit */
		__asm__ volatile("int $0x80" : "=a"(ignored) : "a"(1), "b"(7));
}
