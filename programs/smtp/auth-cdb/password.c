/* SPDX-License-Identifier: ISC */
#include "password.h"

#include <crypt.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/message.h"
#include "cram.h"
#include "digest.h"
#include "scram_keys.h"
#include "system/process.h"

enum { MUCH_MEMORY = 32 * 1024 * 1024 };

/* A scratch pad for crypt: as large as a stack may be small. */
static struct crypt_data scratch;

/* A hash that is made to need memory takes 16 megabytes or more, and crypt says
   EINVAL when it does not get them. */
static bool has_memory(void)
{
	void *memory = mmap(NULL, MUCH_MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory != MAP_FAILED && munmap(memory, MUCH_MEMORY) == 0;
}

/* NULL when the setting is none that this crypt knows. Too little memory must
   not look like a wrong password: a run script's softlimit is for small
   programs. */
static const char *hash_of(const char *password, const char *setting)
{
	const char *hash = crypt_r(password, setting, &scratch);

	if (hash && *hash != '*') return hash;
	process_lift_memory_limits();
	hash = crypt_r(password, setting, &scratch);
	if (hash && *hash != '*') return hash;
	if (!has_memory()) die_temporary("unable to check a password:");
	return NULL;
}

static enum password_result check_crypt(const char *wanted,
					const char *password)
{
	const char *hash = hash_of(password, wanted);
	enum password_result result = PASSWORD_DIFFERS;

	if (!hash) result = PASSWORD_UNCHECKED;
	else if (strlen(hash) == strlen(wanted) &&
		 digest_equals(hash, wanted, strlen(wanted)))
		result = PASSWORD_MATCHES;
	explicit_bzero(&scratch, sizeof scratch);
	return result;
}

/* The answer to a challenge, or the password itself. Both are computed: which of
   them it is shall not show in the time. */
static enum password_result check_cram(const struct cram_secret *wanted,
				       const char *answer,
				       const char *challenge)
{
	bool is_password = cram_is_password(wanted, answer);
	bool is_answer = cram_is_answer(wanted, challenge, answer);

	return is_password || (*challenge && is_answer) ? PASSWORD_MATCHES
							: PASSWORD_DIFFERS;
}

enum password_result password_check(const struct auth_entry *entry,
				    const char *password, const char *challenge)
{
	switch (entry->kind) {
	case AUTH_ENTRY_CRYPT: return check_crypt(entry->hash, password);
	case AUTH_ENTRY_SCRAM:
		return scram_keys_are_of(&entry->scram, password)
			       ? PASSWORD_MATCHES
			       : PASSWORD_DIFFERS;
	case AUTH_ENTRY_CRAM:
		return check_cram(&entry->cram, password, challenge);
	case AUTH_ENTRY_WRONG: return PASSWORD_UNCHECKED;
	case AUTH_ENTRY_LOCKED: break;
	}
	return PASSWORD_DIFFERS;
}

void password_check_nothing(const char *password)
{
	(void)check_crypt("$y$j9T$9.eXwLpVqYb0CzRkHt3Fm/$", password);
}

const char *password_hash(const char *prefix, unsigned long cost,
			  const char *password)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!crypt_gensalt_rn(prefix, cost, NULL, 0, setting, sizeof setting))
		return NULL;
	return hash_of(password, setting);
}
