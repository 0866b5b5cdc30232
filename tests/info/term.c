// SPDX-License-Identifier: MIT
/*
 * term.c - a program on its own terminal (tmux), whose screen can be read
 */
#include "term.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "info.h"

static const char config[] =
	"set -g status off\nset -g default-terminal screen-256color\n";

static char *tmux(const struct term *t, const char *const args[])
{
	const char *argv[24] = { "env", "LC_ALL=C.UTF-8", "tmux", "-S", t->socket,
				 "-f",	t->config };
	struct said said;

	for (int i = 0; args[i] && i < 16; i++)
		argv[i + 7] = args[i];
	said = run(t->host, argv);
	cr_assert_eq(said.status, 0, "tmux %s: %s", args[0], said.err);
	free(said.err);
	return said.out;
}

void term_open(struct term *t, const struct host *h, int width, int height,
	       const char *command)
{
	char x[12], y[12];
	FILE *f;

	t->host = h;
	snprintf(t->socket, sizeof(t->socket), "/run/term-%d", getpid());
	snprintf(t->config, sizeof(t->config), "%s.conf", t->socket);
	f = fopen(t->config, "w");
	cr_assert(f && fputs(config, f) >= 0 && fclose(f) == 0);
	snprintf(x, sizeof(x), "%d", width);
	snprintf(y, sizeof(y), "%d", height);
	free(tmux(t, (const char *[]){ "new-session", "-d", "-x", x, "-y", y, command,
				       NULL }));
}

void term_close(struct term *t)
{
	free(tmux(t, (const char *[]){ "kill-server", NULL }));
}

char *term_picture(const struct term *t)
{
	return tmux(t, (const char *[]){ "capture-pane", "-p", NULL });
}

bool term_shows(const struct term *t, const char *text)
{
	char *picture = term_picture(t);
	bool is = strstr(picture, text);

	free(picture);
	return is;
}

void term_key(const struct term *t, const char *key)
{
	free(tmux(t, (const char *[]){ "send-keys", key, NULL }));
}

void term_resize(const struct term *t, int width, int height)
{
	char x[12], y[12];

	snprintf(x, sizeof(x), "%d", width);
	snprintf(y, sizeof(y), "%d", height);
	free(tmux(t, (const char *[]){ "resize-window", "-x", x, "-y", y, NULL }));
}
