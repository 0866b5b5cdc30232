// SPDX-License-Identifier: MIT
/*
 * log_request.c - the log that MPTCPADDR_LOG asks for
 *
 * MPTCPADDR_LOG=[LEVEL][:FILE] or [LEVEL:]/FILE; any other value asks for warnings on
 * standard error.
 */
#include "log_request.h"
#include "env.h"
#include "mptcpaddr/handover.h"
#include "shim/common/str.h"
#include "syscall.h"

void log_request_read(struct handover *h)
{
	const char *value = env_get(ENV_LOG), *file;
	size_t len;

	h->log_fd = -1;
	h->log_level = -1;
	if (!value || !*value)
		return;
	file = str_find(value, value + str_len(value), *value == '/' ? '/' : ':');
	len = file - value;
	h->log_level = log_level_parse(value, len);
	h->log_forced = h->log_level >= 0;
	if (!h->log_forced)
		h->log_level = LOG_LEVEL_WARNING;
	if (*file == ':')
		file++;
	if (str_len(file) < sizeof(h->log_file))
		str_append(h->log_file, 0, sizeof(h->log_file), file);
}

void log_request_open(struct handover *h)
{
	const int flags =
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if (h->log_level < 0)
		return;
	if (h->log_file[0])
		h->log_fd = syscall(SYS_openat, AT_FDCWD, h->log_file, flags, 0600);
	else if (env_stderr_is_original())
		h->log_fd = syscall(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC,
				    STDERR_FILENO + 1);
	log_open(h->log_fd, h->log_level, h->program, h->pid);
}

void log_request_once(enum log_level level, const char *text)
{
	static _Atomic uint32_t done;
	struct handover *h;

	if (!env_get(ENV_LOG) || atomic_exchange(&done, 1))
		return;
	h = sys_map(sizeof(*h));
	if (!h)
		return;
	h->pid = sys_getpid();
	str_append(h->program, 0, sizeof(h->program) - 1, env_program_name());
	log_request_read(h);
	log_request_open(h);
	log_print(level, "%s", text);
	log_open(-1, -1, "", 0);
	if (h->log_fd >= 0)
		sys_close(h->log_fd);
	syscall(SYS_munmap, h, sizeof(*h));
}
