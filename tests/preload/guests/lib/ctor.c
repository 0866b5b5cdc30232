// SPDX-License-Identifier: MIT
/*
 * ctor.c - a library that connects while the program is still being loaded
 */
#include "../guest.h"

__attribute__((constructor)) static void at_load(void)
{
	const char *address = getenv("GUEST_ADDRESS"), *port = getenv("GUEST_PORT");

	if (!address || !port)
		return;
	alarm(GUEST_SECONDS);
	echo(tcp_to(address, port), "from a constructor");
}
