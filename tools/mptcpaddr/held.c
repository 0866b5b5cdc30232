// SPDX-License-Identifier: MIT
/*
 * held.c - socket names of ours that other users hold
 *
 * They are ignored, so this is about who does it, not about what to repair.
 */
#include "held.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/netlink.h"
#include "shim/common/unix_name.h"

#include <arpa/inet.h>
#include <stdio.h>

#define REPORTS_MAX 8

void check_held_broker(struct findings *findings, bool found)
{
	const uid_t uid = unix_name_owner(BROKER_NAME);

	if (uid == 0 || uid == UNIX_NAME_UNKNOWN)
		return;
	report_problem(findings,
		       "user %u holds the broker's socket name " BROKER_NAME ": %s\n"
		       "root: ss -xlp src @" BROKER_NAME "    # end that process%s",
		       uid,
		       found ? "programs that do not see " BROKER_DIR " have no broker"
			     : "it is ignored, and no broker of root's runs",
		       found ? "" : ", then start mptcpaddrd");
}

struct reports {
	struct findings *findings;
	uid_t uids[REPORTS_MAX];
	unsigned int n;
};

static void report_holder(struct reports *reports, const char *name, uid_t uid)
{
	unsigned int i;

	for (i = 0; i < reports->n; i++)
		if (reports->uids[i] == uid)
			return;
	if (i == REPORTS_MAX)
		return;
	reports->uids[reports->n++] = uid;
	report_problem(reports->findings,
		       "user %u holds the socket name %s of another user's server: it is "
		       "ignored\n"
		       "root: ss -xap | grep -F '%s'    # end that process",
		       uid, name, name);
}

static int check_listener(void *ctx, const struct inet_diag_msg *msg,
			  struct nlattr *const *tb)
{
	struct mpaddr addr = { .port = ntohs(msg->id.idiag_sport) };
	char name[UNIX_NAME_MAX], text[MPADDR_TEXT_MAX];
	uid_t uid;

	mpaddr_set(&addr, msg->idiag_family, msg->id.idiag_src);
	snprintf(name, sizeof(name), UNIX_NAME_LISTEN "%s/%u", mpaddr_text(&addr, text),
		 addr.port);
	uid = unix_name_owner(name);
	if (uid != 0 && uid != msg->idiag_uid && uid != UNIX_NAME_UNKNOWN)
		report_holder(ctx, name, uid);
	return 0;
}

void check_held_listeners(struct findings *findings)
{
	struct reports reports = { .findings = findings };

	diag_dump(IPPROTO_MPTCP, DIAG_LISTENING, check_listener, &reports);
}
