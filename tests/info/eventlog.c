// SPDX-License-Identifier: MIT
/*
 * eventlog.c - mptcpinfo --events with a client and a server
 */
#include "eventlog.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"
#include "shim.h"
#include "skip.h"
#include "until.h"

void log_pool(const struct log *l, const char *text)
{
	FILE *f = fopen(l->pool, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

void start_info(struct proc *p, const struct host *h, const char *const args[])
{
	char path[PATH_MAX];
	const char *argv[8] = { built("mptcpinfo", path, sizeof(path)) };

	for (int i = 0; args[i] && i < 6; i++)
		argv[i + 1] = args[i];
	cr_assert_eq(proc_start(p, h, argv, NULL), 0);
}

void log_start(struct log *l, const struct host *h)
{
	start_info(&l->text, h, (const char *[]){ "--events", NULL });
	start_info(&l->json, h, (const char *[]){ "--events", "--json", NULL });
}

void log_open(struct log *l, const char *pool)
{
	memset(l, 0, sizeof(*l));
	stage_open(&l->s, 3);
	snprintf(l->pool, sizeof(l->pool), "/run/events-%d.conf", getpid());
	log_pool(l, pool);
	cr_assert_eq(host_path_manager(&l->s.w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&l->s.w.server, 8, 8), 0);
}

void log_connect(struct log *l, const char *count)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-N",
				     count,
				     "10.0.1.1",
				     SERVER_PORT,
				     NULL };
	struct shim_env shim;

	cr_assert_eq(
		proc_start(&l->s.client, &l->s.w.client, argv, shim_env(&shim, l->pool)),
		0);
	cr_assert(WAIT_FOR(proc_said(&l->s.client, "connected")), "%s",
		  proc_errors(&l->s.client));
}

void log_close(struct log *l)
{
	kill(l->text.pid, SIGINT);
	kill(l->json.pid, SIGTERM);
	cr_assert_eq(proc_wait(&l->text, EFFECT_MS), 0, "%s", proc_errors(&l->text));
	cr_assert_eq(proc_wait(&l->json, EFFECT_MS), 0, "%s", proc_errors(&l->json));
	proc_end(&l->text);
	proc_end(&l->json);
	stage_close(&l->s);
}

static bool matches(const json_t *event, const char *key, const char *value)
{
	const char *found = json_string_value(json_object_get(event, key));

	return !value || (found && !strncmp(found, value, strlen(value)));
}

json_t *log_find(const struct log *l, const char *what, const char *local,
		 const char *remote)
{
	char *all = proc_output(&l->json), *line, *save;
	json_t *event, *found = NULL;

	for (line = strtok_r(all, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		cr_assert(event || !strchr(all, '\n'), "%s", line);
		if (event && !strcmp(text_at(event, "event"), what) &&
		    matches(event, "local", local) && matches(event, "remote", remote))
			found = event;
		else
			json_decref(event);
	}
	free(all);
	return found;
}

static bool there(const struct log *l, const char *what, const char *local,
		  const char *remote)
{
	json_t *event = log_find(l, what, local, remote);

	json_decref(event);
	return event;
}

void log_shows(const struct log *l, const char *what, const char *local,
	       const char *remote, const char *words)
{
	cr_assert(WAIT_FOR(there(l, what, local, remote)), "no %s %s %s in\n%s", what,
		  local ? local : "", remote ? remote : "", proc_output(&l->json));
	cr_assert(WAIT_FOR(proc_said(&l->text, words)), "no %s in\n%s", words,
		  proc_output(&l->text));
}

void log_announce(const struct log *l, const char *addr, int id)
{
	const struct endpoint_spec spec = { .addr = addr, .flags = EP_SIGNAL, .id = id };

	cr_assert_eq(endpoint_add(&l->s.w.server, &spec), 0);
}

void log_has(const struct log *l, const char *what, const char *remote, const char *key,
	     const char *value)
{
	json_t *event = log_find(l, what, NULL, remote);
	char *text;

	cr_assert(event, "no %s", what);
	text = json_dumps(at(event, key), JSON_ENCODE_ANY);
	cr_assert_str_eq(text, value, "%s of %s is %s, not %s", key, what, text, value);
	free(text);
	json_decref(event);
}

void start_log(struct log *l, const char *unused)
{
	log_start(l, &l->s.w.client);
}

void connect_one(struct log *l, const char *unused)
{
	log_connect(l, "1");
}

void announce(struct log *l, const char *addr)
{
	log_announce(l, addr,
		     strstr(addr, "10.0.2.")   ? 12
		     : strstr(addr, "10.0.3.") ? 13
					       : 14);
}

void withdraw(struct log *l, const char *addr)
{
	cr_assert_eq(endpoint_del(&l->s.w.server, addr), 0);
}

void change_pool(struct log *l, const char *text)
{
	log_pool(l, text);
}

void run_ip(struct log *l, const char *commands)
{
	cr_assert_eq(host_ip(&l->s.w.client, commands), 0);
}

void filter_server(struct log *l, const char *nft_rules)
{
	cr_assert_eq(host_nft(&l->s.w.server, nft_rules), 0);
}

void log_play(const char *pool, const struct log_step *steps)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, pool);
	for (const struct log_step *s = steps; s->act || s->what; s++) {
		if (s->act)
			s->act(&l, s->arg);
		if (s->what)
			log_shows(&l, s->what, s->local, s->remote, s->words);
		if (s->key)
			log_has(&l, s->what, s->remote, s->key, s->value);
	}
	log_close(&l);
}
