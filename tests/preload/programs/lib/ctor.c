// SPDX-License-Identifier: MIT
/*
 * ctor.c - a library that connects while the program is still being loaded
 */
#include "../program.h"

__attribute__((constructor)) static void at_load(void)
{
	const char *address = getenv("PROGRAM_ADDRESS"), *port = getenv("PROGRAM_PORT");

	if (!address || !port)
		return;
	alarm(PROGRAM_SECONDS);
	echo(tcp_to(address, port), "from a constructor");
}
