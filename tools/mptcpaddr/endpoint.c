// SPDX-License-Identifier: MIT
/*
 * endpoint.c - mptcpaddr endpoint, mptcpaddr limits: the pool of a running program
 *
 * The words are those of `ip mptcp endpoint` and `ip mptcp limits`. The manager parses
 * them as it parses the pool file.
 */
#include "shim/pool/endpoint.h"
#include "command.h"
#include "finding.h"
#include "mptcpaddr/pool.h"
#include "targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EDIT_TIMEOUT_MS 2000

static int print_target_error(const struct ctl *ctl, const struct ctl_manager *manager,
			      const char *why)
{
	char name[TARGET_NAME_MAX];

	return print_error("%s: %s", target_name(ctl, manager, name), why);
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
	struct ctl_endpoint *endpoints = NULL;
	size_t n = 0, n_sections = 0, s, i;
	char name[TARGET_NAME_MAX];
	int r = ctl_read(ctl, CTL_OP_SECTIONS, sizeof(*sections), &sections, &n_sections);

	if (r == 0)
		r = ctl_read(ctl, CTL_OP_CONFIGURED, sizeof(*endpoints), &endpoints, &n);
	if (r == 0)
		printf("# %s, %s\n", target_name(ctl, manager, name), manager->pool_file);
	for (s = 0; r == 0 && s < n_sections; s++) {
		if (sections[s].excluded)
			continue;
		show_section(&sections[s]);
		for (i = 0; i < n; i++)
			if (endpoints[i].section == s)
				show_endpoint(&endpoints[i]);
	}
	free(sections);
	free(endpoints);
	return r < 0 ? print_target_error(ctl, manager, strerror(-r)) : 0;
}

static int show_limits(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	char name[TARGET_NAME_MAX];

	printf("# %s, %s\n[limits]\nsubflows = %u\nadd_addr_accepted = %u\n",
	       target_name(ctl, manager, name), manager->pool_file, manager->subflows_max,
	       manager->add_addr_accepted_max);
	return 0;
}

static int edit_pool(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	const struct ctl_request *request = ctx;
	struct ctl_edit answer = { "" };
	int r;

	if (send(ctl->fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
		return print_target_error(ctl, manager, strerror(errno));
	r = ctl_receive(ctl, CTL_OP_EDIT, sizeof(answer), EDIT_TIMEOUT_MS);
	if (r == 0)
		return 0;
	if (ctl->buffer && ctl_answer(ctl)->error == r && ctl_answer(ctl)->count == 1)
		ctl_record(ctl, 0, &answer, sizeof(answer));
	answer.text[sizeof(answer.text) - 1] = '\0';
	return print_target_error(ctl, manager,
				  answer.text[0] ? answer.text : strerror(-r));
}

/* Join the words of the command with blanks. */
static int join_words(const char *command, int argc, char *argv[],
		      char text[CTL_TEXT_MAX])
{
	size_t len = snprintf(text, CTL_TEXT_MAX, "%s", command);
	int i;

	for (i = 0; i < argc && len < CTL_TEXT_MAX; i++)
		len += snprintf(text + len, CTL_TEXT_MAX - len, " %s", argv[i]);
	return len < CTL_TEXT_MAX ? 0 : -E2BIG;
}

static int parse_arguments(struct targets *targets, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'i' },
		{ "program", required_argument, NULL, 'n' },
		{ 0 },
	};
	char *end;
	int c;

	while ((c = command_option(argc, argv, "", options)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'n') {
			targets->program = optarg;
			continue;
		}
		targets->pid = strtol(optarg, &end, 10);
		if (*end || targets->pid <= 0)
			return usage_error(argv[0], "\"%s\" is not a PID", optarg);
	}
	return 0;
}

/* "set" is ip(8)'s word; the manager needs none. */
static int run_object(int argc, char *argv[], target_fn show)
{
	struct ctl_request request = { .magic = CTL_MAGIC,
				       .version = CTL_VERSION,
				       .op = CTL_OP_EDIT };
	struct targets targets = { .pid = 0 };
	const char *object = argv[0];
	int r = parse_arguments(&targets, argc, argv);

	if (r)
		return r;
	argc -= optind;
	argv += optind;
	if (argc && show == show_limits && !strcmp(argv[0], "set")) {
		argc--;
		argv++;
	}
	if (!argc || !strcmp(argv[0], "show")) {
		if (argc > 1)
			return usage_error(object, "unknown word \"%s\"", argv[1]);
		return targets_each(&targets, show, NULL);
	}
	if (join_words(object, argc, argv, request.text) < 0)
		return usage_error(object, "too many words");
	targets.one = true;
	return targets_each(&targets, edit_pool, &request);
}

int cmd_endpoint(int argc, char *argv[])
{
	return run_object(argc, argv, show_endpoints);
}

int cmd_limits(int argc, char *argv[])
{
	return run_object(argc, argv, show_limits);
}
