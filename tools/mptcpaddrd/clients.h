/* SPDX-License-Identifier: MIT */
/*
 * clients.h - users, their programs with their pools, and their connections
 */
#pragma once

#include "broker.h"

/* user_get() - find or make the user of @uid. NULL: too many, or no memory. */
struct user *user_get(struct user **users, uid_t uid);
void users_free(struct user **users);

/* rate_take() - count one more. Return: false, uncounted, if it exceeds the rate. */
bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst,
	       int64_t now_us);

struct client_conn *client_conn_find(const struct broker *b, uint32_t token);
void client_conn_drop(struct broker *b, struct client_conn *conn);
/* client_conn_forget() - drop it from its engine, too. */
void client_conn_forget(struct broker *b, struct client_conn *conn);
/* client_conn_sweep() - drop the connections of @client that its engine has dropped. */
void client_conn_sweep(struct broker *b, struct client *client);

/*
 * client_get() - find or make the client, with the pool @text
 *
 * Return: NULL and *@ret_error: -ENOSPC, -ENOMEM; -EDQUOT: its pool changes too often;
 * -EINVAL: the pool is wrong, and *@why says how.
 */
struct client *client_get(struct broker *b, struct user *user, const char *program,
			  const char *path, const char *text, size_t len,
			  const struct policy_program *adopts, struct pool_error *why,
			  int *ret_error);
void client_free(struct broker *b, struct client *client);

/* client_register() - take @token into the client's engine. Return: 0; -errno. */
int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    uint64_t cookie);

/* client_resolve() - apply the machine's addresses and the policy to the pool again. */
void client_resolve(struct client *client);

/* client_serve_control() - answer what @fds of its control socket has ready. */
void client_serve_control(struct client *client, const struct pollfd *fds);

/* read_pool_file() - a regular file, of bounded size. Return: 0; -errno. */
int read_pool_file(const char *path, char **ret_text, size_t *ret_len);
/* read_system_pool() - the administrator's pool for @program. Return: 0; -errno. */
int read_system_pool(const char *program, char **ret_text, size_t *ret_len,
		     char *ret_path, size_t size);
