/* SPDX-License-Identifier: ISC */
#include "mail/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "system/clock.h"
#include "system/file.h"

enum {
	WORDS_LIMIT = 200,
	RECIPIENTS_LIMIT = 1000,
};

static void append_word(struct str *head, const char *word)
{
	char shown[WORDS_LIMIT];

	str_append_byte(head, ' ');
	str_append_text(head, printable_text(shown, sizeof shown, word));
}

static void append_address(struct str *head, const char *name,
			   const char *address)
{
	char shown[ENVELOPE_ADDRESS_LIMIT];

	str_append_text(head, name);
	str_append_text(head, printable_text(shown, sizeof shown, address));
	str_append_byte(head, '\n');
}

static void append_head(struct str *head, const struct envelope *envelope,
			const char *state, const char *detail)
{
	const char *recipient = NULL;
	size_t left = RECIPIENTS_LIMIT;

	str_append_text(head, "X-Quarantine:");
	append_word(head, program_name);
	append_word(head, state);
	append_word(head, detail ? detail : "-");
	str_append_byte(head, '\n');
	append_address(head, "X-Envelope-From: ", envelope->sender);
	while (left-- > 0 && (recipient = envelope_next(envelope, recipient)))
		append_address(head, "X-Envelope-To: ", recipient);
}

/* In /tmp anybody may make a folder of that name, or a link to another one. */
static bool is_maildir(const char *folder)
{
	struct str path = { 0 };
	struct stat it, outer;
	bool is_one;

	str_append_text(&path, folder);
	str_append_text(&path, "/new");
	is_one = lstat(path.data, &it) == 0 && S_ISDIR(it.st_mode) &&
		 stat(folder, &outer) == 0 && it.st_uid == outer.st_uid;
	str_free(&path);
	return is_one;
}

/* In the form of a Maildir's names, which no other process makes up. */
static void append_name(struct str *path, const struct timespec *now)
{
	char name[64];

	snprintf(name, sizeof name, "%lld.M%06ldP%lu.", (long long)now->tv_sec,
		 now->tv_nsec / 1000, (unsigned long)getpid());
	str_append_text(path, name);
	str_append_text(path, program_name);
}

static int write_copy(const struct stage *stage, const struct str *head,
		      const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result;

	if (fd < 0) return -1;
	result = stage_message_write(&stage->message, head, fd);
	if (result == 0) result = fsync(fd);
	file_close(fd);
	return result;
}

static int store(const struct stage *stage, const struct str *head,
		 const char *early, const char *path)
{
	int cause;

	if (write_copy(stage, head, early) == 0 && rename(early, path) == 0)
		return file_sync_folder_of(path);
	cause = errno;
	unlink(early);
	errno = cause;
	return -1;
}

int quarantine_keep(const struct stage *stage, const char *folder,
		    const char *state, const char *detail)
{
	bool has_new = is_maildir(folder);
	struct str head = { 0 }, early = { 0 }, path = { 0 };
	struct timespec now;
	int result;

	clock_read(CLOCK_REALTIME, &now);
	str_append_text(&early, folder);
	str_append_text(&early, has_new ? "/tmp/" : "/.new.");
	append_name(&early, &now);
	str_append_text(&path, folder);
	str_append_text(&path, has_new ? "/new/" : "/");
	append_name(&path, &now);
	append_head(&head, &stage->envelope, state, detail);
	result = store(stage, &head, early.data, path.data);
	str_free(&path);
	str_free(&early);
	str_free(&head);
	return result;
}
