// SPDX-License-Identifier: MIT
/*
 * refused.c - report once which options MPTCP refused, and what was done
 */
#include "refused.h"
#include "log_request.h"
#include "syscall.h"

sockopt_report refused_options;
static sockopt_report sent; /* to the broker */
static _Atomic uint32_t to_send;
static _Atomic bool swapped;

/* Return: like str_append(). */
static size_t append_number(char *to, size_t len, size_t size, unsigned int number)
{
	char digits[12];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	do
		digits[--i] = '0' + number % 10;
	while (number /= 10);
	return str_append(to, len, size, digits + i);
}

static void log_line(const char *option, enum sockopt_action action)
{
	static const struct {
		enum log_level level;
		char text[96];
	} say[] = {
		[SOCKOPT_IGNORED] = { LOG_LEVEL_INFO, "ignored, which is harmless" },
		[SOCKOPT_TOLERATED] = { LOG_LEVEL_INFO, "ignored (tolerate)" },
		[SOCKOPT_LEFT_OUT] = { LOG_LEVEL_WARNING,
				       "ignored, since the socket is in use" },
		[SOCKOPT_SWAPPED] = { LOG_LEVEL_WARNING,
				      "the socket is plain TCP now; to keep MPTCP, set "
				      "[app] tolerate = " },
		[SOCKOPT_FAILED] = { LOG_LEVEL_WARNING,
				     "failed; for plain TCP, set [app] mptcp = no" },
	};
	const size_t size = 256;
	char line[256];
	size_t len = str_append(line, 0, size, "MPTCP refuses ");

	len = str_append(line, len, size, option);
	len = STR_APPEND(line, len, size, ": ");
	len = str_append(line, len, size, say[action].text);
	if (action == SOCKOPT_SWAPPED)
		str_append(line, len, size, option);
	log_request_print(say[action].level, line, "");
}

void refused_report(int level, int name, enum sockopt_action action)
{
	const struct sockopt *opt = sockopt_find(level, name);
	const size_t at = opt ? (size_t)(opt - sockopts) : SOCKOPTS_MAX;
	const uint8_t bit = 1 << action;
	char option[32];
	size_t len;

	if (atomic_fetch_or(&refused_options[at], bit) & bit)
		return;
	atomic_fetch_add(&to_send, !!opt);
	if (action == SOCKOPT_SWAPPED)
		atomic_store(&swapped, true);
	if (opt)
		return log_line(opt->text, action);
	len = STR_APPEND(option, 0, sizeof(option), "option ");
	len = append_number(option, len, sizeof(option), level);
	len = STR_APPEND(option, len, sizeof(option), "/");
	append_number(option, len, sizeof(option), name);
	log_line(option, action);
}

bool refused_swapped(void)
{
	return atomic_load_explicit(&swapped, memory_order_relaxed);
}

uint16_t refused_next(void)
{
	size_t i;
	int action;

	for (i = 0; i < n_sockopts && atomic_load(&to_send); i++)
		for (action = 0; action < SOCKOPT_ACTIONS; action++) {
			const uint8_t bit = 1 << action;

			if (!(refused_options[i] & bit) ||
			    (atomic_fetch_or(&sent[i], bit) & bit))
				continue;
			atomic_fetch_sub(&to_send, 1);
			return sockopt_pack(&sockopts[i], action);
		}
	return 0;
}
