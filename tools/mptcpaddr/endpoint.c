// SPDX-License-Identifier: MIT
/*
 * endpoint.c - mptcpaddr endpoint, mptcpaddr limits: the pools of running programs
 *
 * The words are those of `ip mptcp endpoint` and `ip mptcp limits`. The manager parses
 * them as it parses the pool file.
 */
#include "shim/pool/endpoint.h"
#include "checks.h"
#include "mptcpaddr/broker.h"
#include "shim/common/str.h"
#include "shim/common/unix_name.h"
#include "tools/common/ctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EDIT_TIMEOUT_MS 2000
#define NAMED_MAX	8 /* in a message */
#define TARGET_NAME_MAX 128
#define TASK_COMM_MAX	15 /* without its NUL */

/* The running programs whose pools are shown or changed. */
struct targets {
	const char *program;  /* NULL: any */
	pid_t pid;	      /* 0: any */
	unsigned int show_id; /* of endpoints; 0: any */
};

/* The connection to a manager, and its own description. */
struct target {
	struct ctl ctl;
	struct ctl_manager manager;
	unsigned int show_id;
	bool brokered;
	/* "curl[812]"; "curl of user 1000": mptcpaddrd's pool of all programs "curl" */
	char name[TARGET_NAME_MAX];
};

/*
 * Whether mptcpaddrd has this pool for @pid. It names programs by argv[0] after its last
 * slash, which some programs overwrite; the kernel cuts its name.
 */
static bool is_same_program(pid_t pid, const struct ctl_manager *manager)
{
	char path[64], started[PATH_MAX], name[TASK_COMM_MAX + 2];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_first_line(path, name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	read_first_line(path, started, sizeof(started));
	return stat(path, &st) == 0 && st.st_uid == manager->uid &&
	       (!strcmp(basename(started), manager->program) ||
		(*name && !strncmp(name, manager->program, TASK_COMM_MAX)));
}

/* The other end may be any user's. */
static void terminate_clean(char *text, size_t size)
{
	text[size - 1] = '\0';
	str_clean(text, strlen(text));
}

static int read_manager(struct target *target)
{
	struct ctl_manager *manager = &target->manager;
	const uid_t uid = target->ctl.uid;
	int r;

	r = ctl_ask(&target->ctl, CTL_OP_MANAGER, 0, sizeof(*manager));
	if (r < 0)
		return r;
	if (ctl_answer(&target->ctl)->count != 1)
		return -EBADMSG;
	ctl_record(&target->ctl, 0, manager, sizeof(*manager));
	terminate_clean(manager->program, sizeof(manager->program));
	terminate_clean(manager->pool_file, sizeof(manager->pool_file));
	terminate_clean(manager->pool_error, sizeof(manager->pool_error));
	target->brokered = uid == 0 &&
			   !strncmp(manager->backend, "broker", sizeof(manager->backend));
	snprintf(target->name, sizeof(target->name),
		 target->brokered ? "%s of user %u" : "%s[%u]", manager->program,
		 target->brokered ? manager->uid : manager->pid);
	return 0;
}

/* Return: 0 with the connection open; 1: the manager is not meant; -errno. */
static int open_target(const struct targets *targets, const char *name,
		       struct ctl_budget *budget, struct target *target)
{
	const struct ctl_manager *manager = &target->manager;
	int r;

	if (!strcmp(name, BROKER_NAME) || *name == '/')
		return 1; /* each of its pools has a socket of its own */
	r = ctl_open(name, budget, &target->ctl);
	if (r == -EAGAIN) /* its queue is full, perhaps on purpose */
		ctl_charge(budget, &target->ctl);
	if (r < 0)
		return r;
	r = read_manager(target);
	if (r < 0)
		ctl_charge(budget, &target->ctl);
	if (r == 0 && targets->program)
		r = strcmp(targets->program, manager->program) != 0;
	if (r == 0 && targets->pid)
		r = (target->brokered || ctl_is_stand_in(manager->pid))
			    ? !is_same_program(targets->pid, manager)
			    : (uint32_t)targets->pid != manager->pid;
	if (r)
		ctl_close(&target->ctl);
	return r;
}

#define REPORTS_MAX 8

/* A program that is stopped does not answer; a user with many does not want to. */
static void report_silent_managers(struct findings *findings,
				   const struct ctl_budget *budget)
{
	const struct ctl_user *user = budget->users;

	for (; user < budget->users + budget->n; user++)
		if (user->uid != UNIX_NAME_UNKNOWN &&
		    user->failed + user->unasked > REPORTS_MAX)
			report_problem(findings,
				       "user %u holds %u socket names of managers that "
				       "do not answer\n"
				       "root: ss -xlp | grep -F @" CTL_NAME_PREFIX
				       "    # end these processes",
				       user->uid, user->failed + user->unasked);
}

void check_running_pools(struct findings *findings, const char *known)
{
	const struct targets any = { .pid = 0 };
	struct ctl_budget budget = { 0 };
	unsigned int reports = 0;
	struct target target;
	char(*names)[NAME_TEXT_MAX];
	size_t n = 0, i;
	int r = ctl_find_names(&names, &n);

	if (r < 0 && r != -E2BIG)
		return;
	for (i = 0; i < n && reports < REPORTS_MAX; i++) {
		if (open_target(&any, names[i], &budget, &target) != 0)
			continue;
		if (target.manager.pool_error[0] &&
		    !(known && strstr(known, target.manager.pool_error))) {
			reports++;
			report_problem(findings, "%s: %s\ndo: fix that line", target.name,
				       target.manager.pool_error);
		}
		ctl_close(&target.ctl);
	}
	report_silent_managers(findings, &budget);
	free(names);
}

static int print_no_target(const struct targets *targets, unsigned int refused)
{
	char more[64] = "";

	if (refused)
		snprintf(more, sizeof(more),
			 "; %u did not answer, or belong to other users", refused);
	if (targets->pid)
		return print_error("process %d has no manager here%s", targets->pid,
				   more);
	if (targets->program)
		return print_error("no manager here serves \"%s\"%s", targets->program,
				   more);
	return print_error("no program has a manager in this network namespace%s", more);
}

static void print_endpoint(const struct ctl_endpoint *from)
{
	struct endpoint ep = { .addr = from->addr,
			       .local_id = from->local_id,
			       .flags = from->flags };
	char text[ENDPOINT_TEXT_MAX];

	snprintf(ep.dev, sizeof(ep.dev), "%.15s", from->dev);
	printf("endpoint = %s\n", endpoint_format(&ep, text));
}

static int show_endpoints(struct target *target)
{
	struct ctl_section *sections = NULL;
	struct ctl_endpoint *endpoints = NULL;
	size_t n = 0, n_sections = 0, s, i;
	char prefix[MPADDR_TEXT_MAX];
	int r = ctl_read(&target->ctl, CTL_OP_SECTIONS, sizeof(*sections), &sections,
			 &n_sections);

	if (r == 0)
		r = ctl_read(&target->ctl, CTL_OP_CONFIGURED, sizeof(*endpoints),
			     &endpoints, &n);
	if (r == 0)
		printf("# %s, %s\n", target->name, target->manager.pool_file);
	for (s = 0; r == 0 && s < n_sections; s++) {
		if (sections[s].excluded)
			continue;
		if (sections[s].prefix.family == AF_UNSPEC)
			puts("[pool]");
		else
			printf("[pool \"%s/%u\"]\n",
			       mpaddr_text(&sections[s].prefix, prefix), sections[s].len);
		for (i = 0; i < n; i++)
			if (endpoints[i].section == s &&
			    (!target->show_id ||
			     endpoints[i].local_id == target->show_id))
				print_endpoint(&endpoints[i]);
	}
	free(sections);
	free(endpoints);
	return r < 0 ? print_error("%s: %s", target->name, strerror(-r)) : 0;
}

static int show_limits(struct target *target)
{
	const struct ctl_manager *manager = &target->manager;

	printf("# %s, %s\n[limits]\nsubflows = %u\nadd_addr_accepted = %u\n",
	       target->name, manager->pool_file, manager->subflows_max,
	       manager->add_addr_accepted_max);
	return 0;
}

static int edit_pool(struct target *target, const struct ctl_request *request)
{
	struct ctl *ctl = &target->ctl;
	struct ctl_edit answer = { "" };
	int r;

	if (send(ctl->fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
		return print_error("%s: %s", target->name, strerror(errno));
	r = ctl_receive(ctl, CTL_OP_EDIT, sizeof(answer), EDIT_TIMEOUT_MS);
	if (r == 0)
		return 0;
	if (ctl->buffer && ctl_answer(ctl)->error == r && ctl_answer(ctl)->count == 1)
		ctl_record(ctl, 0, &answer, sizeof(answer));
	terminate_clean(answer.text, sizeof(answer.text));
	return print_error("%s: %s", target->name,
			   answer.text[0] ? answer.text : strerror(-r));
}

/* Send @request to the only target; NULL: @show each. Return: an exit status. */
static int visit_targets(const struct targets *targets, int (*show)(struct target *),
			 const struct ctl_request *request)
{
	char list[NAMED_MAX * (TARGET_NAME_MAX + 2)] = "";
	unsigned int found = 0, refused = 0;
	struct ctl_budget budget = { .n = 0 };
	struct target target, first;
	char(*names)[NAME_TEXT_MAX];
	size_t n = 0, len = 0, i;
	int r = ctl_find_names(&names, &n), failed = 0;

	if (r < 0 && r != -E2BIG)
		return print_error("/proc/net/unix: %s", strerror(-r));
	for (i = 0; i < n; i++) {
		r = open_target(targets, names[i], &budget, &target);
		refused += r < 0;
		if (r)
			continue;
		if (found++ < NAMED_MAX)
			len += sprintf(list + len, "%s%s", len ? ", " : "", target.name);
		target.show_id = targets->show_id;
		if (!request)
			failed |= show(&target);
		if (request && found == 1)
			first = target;
		else
			ctl_close(&target.ctl);
	}
	free(names);
	if (!found)
		return print_no_target(targets, refused);
	if (!request)
		return failed;
	if (found == 1)
		failed = edit_pool(&first, request);
	else
		failed = print_error("%u programs (%s%s): choose one with --pid%s", found,
				     list, found > NAMED_MAX ? ", ..." : "",
				     targets->program ? "" : " or --program");
	ctl_close(&first.ctl);
	return failed;
}

static int parse_target_options(struct targets *targets, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'i' },
		{ "program", required_argument, NULL, 'n' },
		{ 0 },
	};
	char *end;
	int c;

	while ((c = command_option(argc, argv, ":", options)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'n') {
			targets->program = optarg;
			continue;
		}
		targets->pid = strtol(optarg, &end, 10);
		if (*end || targets->pid <= 0)
			return print_usage_error(argv[0], "\"%s\" is not a PID", optarg);
	}
	return 0;
}

/*
 * The first of @words that begins with @word, as ip(8) takes its words; NULL: none.
 * "set", "add" and so on are what the manager understands.
 */
static const char *find_verb(const char *const words[], const char *word)
{
	if (!*word)
		return NULL;
	while (*words && strncmp(*words, word, strlen(word)) != 0)
		words++;
	return *words;
}

/*
 * Replace words of ip-mptcp(8) by the manager's, from @argv[@i] on. Return: 0; EXIT_USAGE
 * after an error was printed, before anything is looked up.
 */
static int check_verb(const char *object, int argc, char *argv[], int i)
{
	static const char *const verbs[] = { "add",  "change", "delete",
					     "show", "flush",  NULL };
	static const char *const limits[] = { "set", "show", "subflows",
					      "add_addr_accepted", NULL };
	const bool of_limits = !strcmp(object, "limits");
	const char *verb = find_verb(of_limits ? limits : verbs, argv[i]);
	int k;

	if (!verb)
		return print_usage_error(object, "unknown word \"%s\": not %s", argv[i],
					 of_limits
						 ? "show, set, subflows or "
						   "add_addr_accepted"
						 : "show, add, delete, change or flush");
	if (!strcmp(verb, "set") && i + 1 == argc)
		return print_usage_error(object, "set needs subflows N or "
						 "add_addr_accepted N");
	argv[i] = (char *)(strcmp(verb, "delete") ? verb : "del");
	for (k = i + !strcmp(verb, "set"); of_limits && k < argc; k += 2) {
		verb = find_verb(limits + 1, argv[k]);
		argv[k] = verb ? (char *)verb : argv[k];
	}
	return 0;
}

int cmd_pool(int argc, char *argv[])
{
	struct ctl_request request = { .magic = CTL_MAGIC,
				       .version = CTL_VERSION,
				       .op = CTL_OP_EDIT };
	const bool limits = !strcmp(argv[0], "limits");
	struct targets targets = { .pid = 0 };
	const char *object = argv[0];
	int r = parse_target_options(&targets, argc, argv), i = optind;
	size_t len;

	if (r)
		return r;
	if (i < argc && check_verb(object, argc, argv, i))
		return EXIT_USAGE;
	/* "set" is ip(8)'s word; the manager needs none. */
	i += i < argc && limits && !strcmp(argv[i], "set");
	if (i == argc || !strcmp(argv[i], "show")) {
		if (!limits && argc - i == 3 && !strcmp(argv[i + 1], "id"))
			targets.show_id = strtoul(argv[i + 2], NULL, 10);
		else if (argc - i > 1)
			return print_usage_error(object, "unknown word \"%s\"",
						 argv[i + 1]);
		return visit_targets(&targets, limits ? show_limits : show_endpoints,
				     NULL);
	}
	len = snprintf(request.text, CTL_TEXT_MAX, "%s", object);
	for (; i < argc && len < CTL_TEXT_MAX; i++)
		len += snprintf(request.text + len, CTL_TEXT_MAX - len, " %s", argv[i]);
	if (len >= CTL_TEXT_MAX)
		return print_usage_error(object, "too many words");
	return visit_targets(&targets, NULL, &request);
}
