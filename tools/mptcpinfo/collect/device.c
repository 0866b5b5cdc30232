// SPDX-License-Identifier: MIT
/*
 * device.c - the interface of a local address
 */
#include "collect.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

void device_of(const struct mpaddr *addr, char out[static IF_NAMESIZE])
{
	struct ifaddrs *all, *one;
	struct mpaddr its = { 0 };

	out[0] = '\0';
	if (getifaddrs(&all) < 0)
		return;
	for (one = all; one; one = one->ifa_next) {
		if (!one->ifa_addr || one->ifa_addr->sa_family != addr->family)
			continue;
		if (addr->family == AF_INET6)
			mpaddr_set(&its, AF_INET6,
				   &((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr);
		else
			mpaddr_set(&its, AF_INET,
				   &((struct sockaddr_in *)one->ifa_addr)->sin_addr);
		if (!mpaddr_same_ip(&its, addr))
			continue;
		snprintf(out, IF_NAMESIZE, "%s", one->ifa_name);
		text_clean(out, IF_NAMESIZE);
		break;
	}
	freeifaddrs(all);
}
