// SPDX-License-Identifier: MIT
/*
 * script.c - histories as text: a step in each line, with the commands that it must cause
 *
 * "STEP > COMMANDS"; without '>' the commands are not checked. A command reads
 * "join 10.0.2.2/12-10.0.2.1:80;" or, without the ID, "join 10.0.2.2-10.0.2.1:80;". The
 * name of a subflow is its pair, 10.0.2.2-10.0.2.1:80. "@N" before a step is a token
 * other than TOKEN. The steps are in the table at the end.
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 6

#define MADE_MAX 256

struct script {
	struct play p;
	const char *pool;		/* the first one */
	const char *step;		/* for messages */
	struct mpaddr routed;		/* what routing picks; AF_UNSPEC: unknown */
	struct pm_subflow subflows[16]; /* for the resync */
	unsigned int n_subflows;
	uint32_t token;
	char *words[WORDS_MAX];	      /* of the step, after the verb; NULL: no more */
	struct pm_cmd made[MADE_MAX]; /* joins requested */
	unsigned int n_made;
};

static void made_add(struct script *s, const struct pm_cmd *cmd)
{
	cr_assert_lt(s->n_made, MADE_MAX);
	if (cmd->type == PM_CMD_SUBFLOW_CREATE)
		s->made[s->n_made++] = *cmd;
}

static const char *verb(const struct pm_cmd *cmd)
{
	static const char *const verbs[] = {
		[PM_CMD_SUBFLOW_CREATE] = "join", [PM_CMD_SUBFLOW_DESTROY] = "close",
		[PM_CMD_ANNOUNCE] = "announce",	  [PM_CMD_REMOVE] = "withdraw",
		[PM_CMD_SET_FLAGS] = "flags",	  [PM_CMD_CHECK] = "check"
	};

	return cmd->reset ? "reset" : verbs[cmd->type];
}

static void check_commands(const struct script *s, const char *wanted)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX], id[8] = "", all[2048] = "";

	for (unsigned int i = 0; i < s->p.out.n; i++) {
		const struct pm_cmd *c = &s->p.out.v[i];
		struct mpaddr ip = c->local;
		bool pair = c->type != PM_CMD_ANNOUNCE && c->type != PM_CMD_REMOVE;

		if (pair)
			ip.port = 0;
		if (!*wanted || strchr(wanted, '/'))
			snprintf(id, sizeof(id), "/%u", c->local_id);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s %s%s%s%s%s;",
			 verb(c), mpaddr_text(&ip, local), id, pair ? "-" : "",
			 pair ? mpaddr_text(&c->remote, remote) : "",
			 c->flags & MPTCP_PM_ADDR_FLAG_BACKUP ? " backup" : "");
	}
	cr_assert_str_eq(all, wanted, "%s: \"%s\", wanted \"%s\"", s->step, all, wanted);
}

static int number(const char *word)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
		{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
		{ "ENETUNREACH", ENETUNREACH },
		{ "ENODEV", ENODEV },
		{ "EHOSTUNREACH", EHOSTUNREACH },
		{ "ECONNREFUSED", ECONNREFUSED },
		{ "ECONNRESET", ECONNRESET },
		{ "ETIMEDOUT", ETIMEDOUT },
		{ "EINVAL", EINVAL },
		{ "ESRCH", ESRCH },
		{ "prohibited", PM_RESET_PROHIBITED },
		{ "family", PM_REASON_FAMILY },
		{ "flapping", PM_REASON_FLAPPING },
		{ "own", PM_REASON_OWN },
		{ "private", PM_REASON_PRIVATE },
	};
	char *end;
	int value;

	if (!word)
		return 0;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(word, names[i].name))
			return names[i].value;
	value = strtol(word, &end, 0);
	cr_assert(!*end && end != word, "\"%s\" is not a number", word);
	return value;
}

/* The last command for a pair; "10.0.2.2/7-10.0.2.1:80" needs no command. */
static struct pm_cmd pair(const struct script *s)
{
	struct pm_cmd cmd = { .type = PM_CMD_SUBFLOW_CREATE, .token = s->token };
	char *text = s->words[0], *dash = text ? strchr(text, '-') : NULL, *slash;

	cr_assert(dash, "%s: no pair", s->step);
	*dash = '\0';
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		cmd.local_id = number(slash + 1);
	}
	cmd.remote = at(dash + 1);
	cmd.local = at(text);
	for (unsigned int i = s->n_made; i-- && !slash;)
		if (s->made[i].token == s->token &&
		    mpaddr_equal(&s->made[i].local, &cmd.local) &&
		    mpaddr_equal(&s->made[i].remote, &cmd.remote))
			return s->made[i];
	cr_assert(slash, "%s: nobody asked for it", s->step);
	return cmd;
}

static void do_connect(struct script *s)
{
	const char *local = s->words[0] ?: "10.0.1.2";
	const char *remote = s->words[0] ? s->words[1] : "10.0.1.1:80";
	const char *kind = s->words[0] ? s->words[2] : NULL;

	if (!kind)
		play_connect(&s->p, s->token, local, remote);
	else if (!strcmp(kind, "v6only"))
		play_connect_v6only(&s->p, s->token, local, remote);
	else
		play_connect_c_flag(&s->p, s->token, local, remote);
}

static void do_start(struct script *s)
{
	do_connect(s);
	if (!s->p.out.n)
		play_time(&s->p, 1);
}

static void do_announce(struct script *s)
{
	play_announce(&s->p, s->token, number(s->words[0]), s->words[1]);
}

static void do_join(struct script *s)
{
	const struct pm_cmd cmd =
		play_join(&s->p, number(s->words[0]), s->words[1], s->words[2]);

	made_add(s, &cmd);
}

static void do_remove(struct script *s)
{
	play_remove(&s->p, s->token, number(s->words[0]));
}

static void do_refuse(struct script *s)
{
	const struct pm_cmd cmd = pair(s);

	play_answer(&s->p, &cmd, number(s->words[1]));
}

static void do_unsent(struct script *s)
{
	const struct pm_cmd cmd = { .type = s->words[2] ? PM_CMD_SUBFLOW_DESTROY
							: PM_CMD_SET_FLAGS,
				    .token = s->token,
				    .local = at(s->words[0]),
				    .remote = at(s->words[1]) };

	play_answer(&s->p, &cmd, number(s->words[2]) ?: EINVAL);
}

/* Without a pair: every join of the last step. */
static void do_up(struct script *s)
{
	struct pm_cmds cmds = s->p.out;

	if (s->words[0]) {
		cmds.v[0] = pair(s);
		cmds.n = 1;
	}
	for (unsigned int i = 0; i < cmds.n; i++) {
		play_answer(&s->p, &cmds.v[i], 0);
		if (cmds.v[i].type == PM_CMD_SUBFLOW_CREATE)
			play_up(&s->p, &cmds.v[i]);
	}
}

static void do_down(struct script *s)
{
	const struct pm_cmd cmd = pair(s);

	play_down(&s->p, &cmd, number(s->words[1]));
}

static void do_reset(struct script *s)
{
	const struct pm_cmd cmd = pair(s);

	play_reset(&s->p, &cmd, number(s->words[1]));
}

static void do_foreign(struct script *s)
{
	play_foreign_up(&s->p, s->token, s->words[0], number(s->words[1]), s->words[2]);
}

static void do_ends(struct script *s)
{
	play_foreign_down(&s->p, s->token, s->words[0], s->words[1], number(s->words[2]),
			  number(s->words[3]));
}

static void do_time(struct script *s)
{
	play_time(&s->p, strtoll(s->words[0], NULL, 0));
}

static void do_wait(struct script *s)
{
	int wait = engine_wait(s->p.engine);

	if (!strcmp(s->words[0], "none"))
		cr_assert_eq(wait, -1, "a timer of %d ms", wait);
	else if (s->words[1])
		cr_assert(wait >= number(s->words[0]) && wait <= number(s->words[1]),
			  "a timer of %d ms", wait);
	else
		cr_assert_gt(wait, 0, "no timer");
}

static void do_inherit(struct script *s)
{
	engine_inherit(s->p.engine);
}

static void do_take_over(struct script *s)
{
	engine_take_over(s->p.engine);
	cr_assert_eq(engine_wait(s->p.engine), 0);
	s->p.out.n = 0;
	engine_tick(s->p.engine, &s->p.out);
}

static void do_counter(struct script *s)
{
	const struct pm_counters *counters = engine_counters(s->p.engine);
	uint64_t value = UINT64_MAX;

#define X(name, help)                    \
	if (!strcmp(s->words[0], #name)) \
		value = counters->name;
	PM_COUNTERS(X)
#undef X
	cr_assert_eq(value, (uint64_t)number(s->words[1]), "%s is %llu", s->words[0],
		     (unsigned long long)value);
}

static void do_view(struct script *s)
{
	const struct pm_conn_report view = play_view(&s->p, s->token);
	const struct {
		const char *name;
		uint64_t value;
	} values[] = { { "subflows", view.subflows },
		       { "waiting", view.waiting },
		       { "announced", view.announced },
		       { "established", view.established },
		       { "endpoints_used", view.endpoints_used },
		       { "endpoints_silent", view.endpoints_silent },
		       { "silent_s", view.silent_s } };

	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(s->words[0], values[i].name))
			continue;
		cr_assert_eq(values[i].value, (uint64_t)number(s->words[1]), "%s is %llu",
			     s->words[0], (unsigned long long)values[i].value);
		return;
	}
	cr_assert_fail("no value \"%s\"", s->words[0]);
}

/* The pool without a text is the first one. */
static void do_pool(struct script *s)
{
	const char *text = s->words[1] ?: s->pool;

	play_pool(&s->p, text, number(s->words[0]), ENDPOINT_REMOVED);
}

static void do_links(struct script *s)
{
	play_pool(&s->p, s->words[1] ?: s->pool, number(s->words[0]), ENDPOINT_DOWN);
}

static void do_spent(struct script *s)
{
	play_pool(&s->p, s->pool, number(s->words[0]), ENDPOINT_SPENT);
}

static void do_metered(struct script *s)
{
	cr_assert_eq(engine_metered(s->p.engine), (uint32_t)number(s->words[0]), "%s",
		     s->step);
}

static void do_health(struct script *s)
{
	const struct pm_cmd *check = s->p.out.v;

	while (check < s->p.out.v + s->p.out.n &&
	       (check->type != PM_CMD_CHECK || check->token != s->token))
		check++;
	cr_assert(check < s->p.out.v + s->p.out.n, "%s: no check", s->step);
	play_health(&s->p, check,
		    &(const struct pm_health){
			    .routed = number(s->words[0]),
			    .received = number(s->words[1]) > 1, /* the SYN counts */
			    .carried = number(s->words[1]),
			    .delivered = number(s->words[2]),
			    .unacked = number(s->words[3]),
			    .retransmits = number(s->words[4]),
			    .quiet_ms = s->words[5] ? (uint32_t)number(s->words[5])
						    : UINT32_MAX,
			    .rtt_ms = 20 });
}

/* Its peer has data to send, or to acknowledge. */
static void do_checked(struct script *s)
{
	const struct pm_cmd check = { .type = PM_CMD_CHECK,
				      .token = s->token,
				      .local = at(s->words[0]),
				      .remote = at(s->words[1]) };
	const uint32_t carried = number(s->words[2]), rtt = number(s->words[3]);

	play_health(
		&s->p, &check,
		&(const struct pm_health){
			.received = true,
			.carried = carried,
			.delivered = carried,
			.rtt_ms = rtt,
			.min_rtt_ms = s->words[4] ? (uint32_t)number(s->words[4]) : rtt,
			.retransmits = number(s->words[5]) });
}

static void do_watch(struct script *s)
{
	engine_watch(s->p.engine);
}

static void do_rerouted(struct script *s)
{
	engine_rerouted(s->p.engine,
			!s->words[0]
				? FAMILY_ALL
				: FAMILY_BIT(*s->words[0] == '6' ? AF_INET6 : AF_INET));
	s->p.out.n = 0;
	engine_tick(s->p.engine, &s->p.out);
}

static void do_closed(struct script *s)
{
	play_closed(&s->p, s->token);
}

static void do_register(struct script *s)
{
	const struct pm_registration reg = { .token = s->token,
					     .when = number(s->words[0]) };

	cr_assert_eq(engine_register(s->p.engine, &reg), 0);
}

static void do_expire(struct script *s)
{
	const unsigned int n = engine_expire(s->p.engine, number(s->words[0]), 0);

	cr_assert_eq(n, (unsigned int)number(s->words[1]), "%s: %u", s->step, n);
}

static void do_conns(struct script *s)
{
	const unsigned int n = engine_conns(s->p.engine);

	cr_assert_eq(n, (unsigned int)number(s->words[0]), "%s: %u", s->step, n);
}

static void do_used_ids(struct script *s)
{
	const unsigned int n = engine_used_ids(s->p.engine);

	cr_assert_eq(n, (unsigned int)number(s->words[0]), "%s: %u", s->step, n);
}

static void do_shown(struct script *s)
{
	const unsigned int n = engine_count_shown(s->p.engine, NULL);
	struct pm_conn_report views[16];
	uint64_t next;

	cr_assert_eq(n, (unsigned int)number(s->words[0]), "%s: %u", s->step, n);
	cr_assert_eq(engine_report(s->p.engine, 0, 16, views, NULL, &next), n);
	cr_assert_eq(next, 0);
}

static void do_route(struct script *s)
{
	s->routed = s->words[0] ? at(s->words[0]) : (struct mpaddr){ 0 };
}

static void do_old_kernel(struct script *s)
{
	engine_set_old_kernel(s->p.engine);
}

static void do_resync_begin(struct script *s)
{
	s->n_subflows = 0;
}

static void resync_subflow(struct script *s, bool live)
{
	const bool first = s->words[2] && !strcmp(s->words[2], "first");
	const struct pm_event sub = { .type = PM_EVENT_SUB_ESTABLISHED,
				      .token = s->token,
				      .family = AF_INET,
				      .local = at(s->words[0]),
				      .remote = at(s->words[1]),
				      .remote_id = first ? 0 : number(s->words[2]),
				      .backup = s->words[3] != NULL };

	cr_assert_lt(s->n_subflows, 16);
	s->subflows[s->n_subflows++] =
		(struct pm_subflow){ .sub = sub, .live = live, .initial = first };
}

static void do_has(struct script *s)
{
	resync_subflow(s, true);
}

static void do_connecting(struct script *s)
{
	resync_subflow(s, false);
}

/* The connection is unknown. */
static void do_unknown(struct script *s)
{
	struct pm_event ev = { .token = s->token };

	s->p.out.n = 0;
	for (; ev.type <= PM_EVENT_SUB_PRIORITY; ev.type++)
		cr_assert_eq(engine_handle(s->p.engine, &ev, &s->p.out), -ENOENT);
	cr_assert_lt(s->n_subflows, 16);
	s->subflows[s->n_subflows++] = (struct pm_subflow){ .sub = ev, .live = true };
}

/* Why the first announcement is not joined. */
static void do_reason(struct script *s)
{
	struct pm_announced_report ann[ENGINE_ANNOUNCED_MAX];
	uint64_t next;

	cr_assert_geq(
		engine_report(s->p.engine, 0, ENGINE_ANNOUNCED_MAX, NULL, ann, &next), 1);
	cr_assert_eq(ann[0].reason, number(s->words[0]), "%s: %u", s->step,
		     ann[0].reason);
}

static void do_resync_end(struct script *s)
{
	engine_resync(s->p.engine, s->subflows, s->n_subflows);
	s->p.out.n = 0;
	engine_tick(s->p.engine, &s->p.out);
}

static const struct {
	const char *verb;
	void (*run)(struct script *s);
} steps[] = {
	{ "connect", do_connect },   /* [LOCAL REMOTE [v6only | c_flag]] */
	{ "start", do_start },	     /* the same, and run timers 1 ms later */
	{ "announce", do_announce }, /* ID REMOTE */
	{ "join", do_join },	     /* ID LOCAL REMOTE: announced, and up */
	{ "remove", do_remove },     /* ID */
	{ "refuse", do_refuse },     /* PAIR ERROR: the kernel's answer */
	{ "unsent", do_unsent },     /* LOCAL REMOTE: the kernel refused its MP_PRIO */
	{ "kept", do_unsent },	   /* LOCAL REMOTE ERROR: the kernel refused to end it */
	{ "up", do_up },	   /* [PAIR] */
	{ "down", do_down },	   /* PAIR [ERROR] */
	{ "reset", do_reset },	   /* PAIR REASON */
	{ "foreign", do_foreign }, /* LOCAL ID REMOTE: the subflow of another program */
	{ "ends", do_ends },	   /* LOCAL REMOTE [ERROR [REASON]]: its end */
	{ "pool", do_pool }, /* DOWN [TEXT]: bits of endpoints; default: the first pool */
	{ "links", do_links },	   /* likewise: the links are down */
	{ "spent", do_spent },	   /* BITS: the quota is used up */
	{ "metered", do_metered }, /* BYTES since the last time */
	{ "health",
	  do_health }, /* ROUTED [CARRIED DELIVERED UNACKED RETRANSMITS QUIET] */
	{ "checked", do_checked }, /* LOCAL REMOTE CARRIED RTT [MIN-RTT [RETRANSMITS]] */
	{ "watch", do_watch },	   /* engine_watch() */
	{ "rerouted", do_rerouted },
	{ "time", do_time }, /* MS */
	{ "wait", do_wait }, /* none | some | LEAST MOST */
	{ "closed", do_closed },
	{ "register", do_register }, /* [SECONDS] */
	{ "expire", do_expire },     /* SINCE [DROPPED] */
	{ "conns", do_conns },	     /* N */
	{ "used_ids", do_used_ids }, /* N */
	{ "shown", do_shown },	     /* N */
	{ "route", do_route },	     /* [LOCAL]: what routing picks */
	{ "old_kernel", do_old_kernel },
	{ "resync_begin", do_resync_begin },
	{ "has", do_has }, /* LOCAL REMOTE [first | REMOTE-ID [backup]]: a live subflow */
	{ "connecting", do_connecting }, /* likewise */
	{ "resync_end", do_resync_end },
	{ "unknown", do_unknown },
	{ "reason", do_reason }, /* REASON */
	{ "inherit", do_inherit },
	{ "take_over", do_take_over },
	{ "counter", do_counter }, /* NAME VALUE */
	{ "view", do_view },	   /* NAME VALUE */
};

static void run_step(struct script *s, char *line)
{
	char *end = strchr(line, '>'), *word, *save;
	unsigned int n = 0;
	bool pool;

	if (end)
		*end = '\0';
	s->token = TOKEN;
	memset(s->words, 0, sizeof(s->words));
	word = strtok_r(line, " ", &save);
	if (*word == '@') {
		s->token = number(word + 1);
		word = strtok_r(NULL, " ", &save);
	}
	pool = !strcmp(word, "pool") || !strcmp(word, "links"); /* its text has blanks */
	for (n = 0; n < WORDS_MAX; n++)
		s->words[n] = strtok_r(NULL, n && pool ? "" : " ", &save);
	for (n = 0; n < sizeof(steps) / sizeof(steps[0]); n++)
		if (!strcmp(word, steps[n].verb))
			break;
	cr_assert_lt(n, sizeof(steps) / sizeof(steps[0]), "unknown step \"%s\"", word);
	steps[n].run(s);
	for (n = 0; n < s->p.out.n; n++)
		made_add(s, &s->p.out.v[n]);
	if (end)
		check_commands(s, end[1] ? end + 2 : "");
}

static bool pick_route(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local)
{
	const struct script *s = ctx;

	if (s->routed.family)
		*ret_local = s->routed;
	return s->routed.family;
}

void play_script(const char *pool, const char *script)
{
	struct script *s = calloc(1, sizeof(*s));
	char *text = strdup(script), *line, *save, step[256];

	s->pool = pool;
	s->step = step;
	play_open(&s->p, pool);
	engine_set_callbacks(s->p.engine, pick_route, NULL, s);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		snprintf(step, sizeof(step), "%s", line);
		run_step(s, line);
	}
	play_close(&s->p);
	free(text);
	free(s);
}
