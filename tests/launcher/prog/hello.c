// SPDX-License-Identifier: MIT
/*
 * hello.c - a program that says what it was started with: its arguments, AT_SECURE
 *
 * Its exit status is the number of its arguments, its own name included.
 */
#include <stdio.h>
#include <sys/auxv.h>

int main(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		printf("%s ", argv[i]);
	printf("secure=%lu\n", getauxval(AT_SECURE));
	return argc;
}
