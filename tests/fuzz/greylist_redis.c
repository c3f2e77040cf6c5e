/* A Redis that answers anything: the first byte of the input chooses what it is
   asked, the rest is what it says. Each question ends, with an answer or with a
   cause that may go into a log and does not have the password.
   SPDX-License-Identifier: ISC */
#include "mail/greylist_redis.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000, LONGEST = 65536 };

static const char password[] = "hush-hush";

static void check(bool holds)
{
	if (!holds) __builtin_trap();
}

static void check_entry(const struct greylist_entry *entry)
{
	check(entry->first >= 0 && entry->first <= 253402300799);
	check(entry->last >= entry->first);
	check(entry->last == entry->first || entry->last <= NOW);
}

/* What is listed has a name of its own kind. */
static void visit(void *context, const struct greylist_key *key,
		  const struct greylist_entry *entry)
{
	char path[GREYLIST_PATH];
	struct greylist_key again;

	(void)context;
	check_entry(entry);
	greylist_key_path(key, path);
	check(greylist_key_of_path(path, &again) == 0);
	check(again.bits == key->bits &&
	      net_ip_equal(&again.network, &key->network));
}

static void ask(struct greylist_redis *redis, unsigned question,
		const char **cause)
{
	struct greylist_contact contact = { .hold_seconds = 120, .now = NOW };
	struct greylist_entry entry = { NOW - 200, NOW };
	enum greylist_state state = GREYLIST_FAILED;

	check(greylist_key_of_client("192.0.2.7", GREYLIST_BY_NETWORK,
				     &contact.key) == 0);
	switch (question) {
	case 0:
		state = greylist_redis_contact(redis, &contact, cause);
		check(state != GREYLIST_FAILED || *cause);
		check(redis->link.fd < 0);
		break;
	case 1:
		state = greylist_redis_look(redis, &contact, &entry, cause);
		check((state == GREYLIST_FAILED) == (*cause != NULL));
		if (state == GREYLIST_KNOWN || state == GREYLIST_TOO_SOON)
			check_entry(&entry);
		break;
	case 2:
		check((greylist_redis_set(redis, &contact, &entry, cause) <
		       0) == (*cause != NULL));
		break;
	case 3:
		check((greylist_redis_forget(redis, &contact.key, cause) < 0) ==
		      (*cause != NULL));
		break;
	default:
		check((greylist_redis_list(redis, NOW, visit, NULL, cause) <
		       0) == (*cause != NULL));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct greylist_redis redis = { .prefix = "p:",
					.link = { .seconds = 10 } };
	const char *cause = NULL;
	int ends[2];

	if (size == 0 || size > LONGEST) return 0;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	check(write(ends[1], data + 1, size - 1) == (ssize_t)size - 1);
	shutdown(ends[1], SHUT_WR);
	redis.link.fd = ends[0];
	str_append_text(&redis.link.password, password);
	ask(&redis, data[0] % 5, &cause);
	for (const char *at = cause; at && *at; at++)
		check(*at >= ' ' && *at <= '~');
	check(!cause || (*cause && !strstr(cause, password)));
	greylist_redis_close(&redis);
	close(ends[1]);
	return 0;
}
