// SPDX-License-Identifier: MIT
/*
 * broker_command.c - the command that starts the broker on this machine
 */
#include "broker_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *broker_command_find(char text[static BROKER_COMMAND_MAX])
{
	static const char *const units[] = {
		"/etc/systemd/system/mptcpaddrd.service",
		"/usr/local/lib/systemd/system/mptcpaddrd.service",
		"/lib/systemd/system/mptcpaddrd.service",
	};
	const char *tool = program_invocation_name;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!access(units[i], F_OK) && !access("/run/systemd/system", F_OK))
			return "systemctl enable --now mptcpaddrd";
	snprintf(text, PATH_MAX, "%.*smptcpaddrd", (int)(basename(tool) - tool), tool);
	if (access(text, X_OK) < 0)
		strcpy(text, "mptcpaddrd");
	return strcat(text, " -u");
}
