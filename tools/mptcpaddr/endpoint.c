// SPDX-License-Identifier: MIT
/*
 * endpoint.c - mptcpaddr endpoint, mptcpaddr limits: the pool of a running program
 *
 * The words are those of `ip mptcp endpoint` and `ip mptcp limits`. They are read by the
 * manager itself, as it reads those of the file.
 */
#include "shim/pool/endpoint.h"
#include "command.h"
#include "mptcpaddr/pool.h"
#include "targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EDIT_TIMEOUT_MS 2000

static int tell(const struct ctl *ctl, const struct ctl_manager *manager, const char *why)
{
	char name[TARGET_NAME_MAX];

	fprintf(stderr, "mptcpaddr: %s: %s\n", target_name(ctl, manager, name), why);
	return 1;
}

/* Records as the pool file would have them. Return: 0, or 1 with an error told. */
static int read_pool(struct ctl *ctl, const struct ctl_manager *manager,
		     struct ctl_endpoint **ret_endpoints, size_t *ret_n,
		     struct ctl_section **ret_sections, size_t *ret_sections_n)
{
	int r;

	*ret_endpoints = NULL;
	r = ctl_read(ctl, CTL_OP_SECTIONS, sizeof(**ret_sections), ret_sections,
		     ret_sections_n);
	if (r == 0)
		r = ctl_read(ctl, CTL_OP_CONFIGURED, sizeof(**ret_endpoints),
			     ret_endpoints, ret_n);
	return r < 0 ? tell(ctl, manager, strerror(-r)) : 0;
}

static void show_section(const struct ctl_section *section)
{
	char text[MPADDR_TEXT_MAX];

	if (section->prefix.family == AF_UNSPEC)
		puts("[pool]");
	else
		printf("[pool \"%s/%u\"]\n", mpaddr_text(&section->prefix, text),
		       section->len);
}

static void show_endpoint(const struct ctl_endpoint *from)
{
	struct endpoint ep = { .local_id = from->local_id, .flags = from->flags };
	char text[ENDPOINT_TEXT_MAX];

	ep.addr = from->addr;
	snprintf(ep.dev, sizeof(ep.dev), "%.15s", from->dev);
	printf("endpoint = %s\n", endpoint_text(&ep, text));
}

static int show_endpoints(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	struct ctl_section *sections = NULL;
	struct ctl_endpoint *endpoints;
	size_t n = 0, n_sections = 0, s, i;
	char name[TARGET_NAME_MAX];

	if (read_pool(ctl, manager, &endpoints, &n, &sections, &n_sections)) {
		free(sections);
		return 1;
	}
	printf("# %s, %s\n", target_name(ctl, manager, name), manager->pool_file);
	for (s = 0; s < n_sections; s++) {
		if (sections[s].excluded)
			continue;
		show_section(&sections[s]);
		for (i = 0; i < n; i++)
			if (endpoints[i].section == s)
				show_endpoint(&endpoints[i]);
	}
	free(sections);
	free(endpoints);
	return 0;
}

static int show_limits(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	char name[TARGET_NAME_MAX];

	printf("# %s, %s\n[limits]\nsubflows = %u\nadd_addr_accepted = %u\n",
	       target_name(ctl, manager, name), manager->pool_file, manager->subflows_max,
	       manager->add_addr_accepted_max);
	return 0;
}

static int edit(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	const struct ctl_request *request = ctx;
	struct ctl_edit answer = { "" };
	int r;

	if (send(ctl->fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
		return tell(ctl, manager, strerror(errno));
	r = ctl_receive(ctl, CTL_OP_EDIT, sizeof(answer), EDIT_TIMEOUT_MS);
	if (r == 0)
		return 0;
	if (ctl->buffer && ctl_answer(ctl)->error == r && ctl_answer(ctl)->count == 1)
		ctl_record(ctl, 0, &answer, sizeof(answer));
	answer.text[sizeof(answer.text) - 1] = '\0';
	return tell(ctl, manager, answer.text[0] ? answer.text : strerror(-r));
}

/* The command's words behind the options, with blanks between them. */
static int join_words(const char *command, int argc, char *argv[],
		      char text[CTL_TEXT_MAX])
{
	size_t len = snprintf(text, CTL_TEXT_MAX, "%s", command);
	int i;

	for (i = 0; i < argc && len < CTL_TEXT_MAX; i++)
		len += snprintf(text + len, CTL_TEXT_MAX - len, " %s", argv[i]);
	return len < CTL_TEXT_MAX ? 0 : -E2BIG;
}

/* Options may stand before the words or behind them. Return: how many words are left. */
static int take_options(struct targets *targets, int argc, char *argv[])
{
	int i = 1, n = 0, r;

	while (i < argc) {
		r = targets_option(targets, argc, argv, &i);
		if (r < 0)
			return r;
		if (r == 0)
			argv[1 + n++] = argv[i++]; /* not behind where it was */
	}
	return n;
}

static int run(const char *object, int argc, char *argv[],
	       int (*show)(void *, struct ctl *, const struct ctl_manager *))
{
	struct ctl_request request = { .magic = CTL_MAGIC,
				       .version = CTL_VERSION,
				       .op = CTL_OP_EDIT };
	struct targets targets = { .pid = 0 };
	int n = take_options(&targets, argc, argv);

	if (n < 0)
		return usage_error(object, "--pid and --program want a value");
	if (n == 0 || !strcmp(argv[1], "show")) {
		if (n > 1)
			return usage_error(object, "unknown word \"%s\"", argv[2]);
		return targets_each(&targets, show, NULL);
	}
	if (join_words(object, n, argv + 1, request.text) < 0)
		return usage_error(object, "too many words");
	targets.one = true;
	return targets_each(&targets, edit, &request);
}

int cmd_endpoint(int argc, char *argv[])
{
	return run("endpoint", argc, argv, show_endpoints);
}

/* "set" is ip(8)'s word; the manager needs none. */
int cmd_limits(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "set") != 0)
			continue;
		memmove(argv + i, argv + i + 1, (argc - i) * sizeof(*argv));
		argc--;
		break;
	}
	return run("limits", argc, argv, show_limits);
}
