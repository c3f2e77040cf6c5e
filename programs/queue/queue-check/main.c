/* queue-check: creates a queue for qmail-queue, looks whether one is as it should
   be, and repairs what is not.
   The surprise: a message's name is the inode of its file, so a queue that was
   copied, or restored from a backup, is full of wrong names; they are put right
   in steps that may be interrupted anywhere and begun again.
   Exit codes: 0 fine, or repaired; 1 something is wrong; 100, 111.
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "queue.h"

static const char synopsis[] =
	"queue-check [-bn] [-s split] [-u user[:group]] [queue]";

enum { EXIT_WRONG = 1 };

struct settings {
	const char *folder;
	char *user; /* NULL: see find_owners */
};

/* ---- whose it is ---- */

static struct owners one_owner(uid_t user)
{
	return (struct owners){ .queue = user, .send = user, .remote = user };
}

/* A name or a number, of a user or a user and a group. */
static struct owners named_owner(char *user)
{
	char *group = user;
	struct owners owners;
	unsigned long number;
	const struct passwd *passwd;
	const struct group *entry;

	if (!parse_cut(&group, ':')) group = NULL;
	passwd = getpwnam(user);
	if (passwd) owners = one_owner(passwd->pw_uid);
	else if (parse_number(user, 0, UINT32_MAX, &number) == 0)
		owners = one_owner((uid_t)number);
	else die_permanent("no user %s", user);
	if (!group) return owners;
	owners.has_group = true;
	entry = getgrnam(group);
	if (entry) owners.group = entry->gr_gid;
	else if (parse_number(group, 0, UINT32_MAX, &number) == 0)
		owners.group = (gid_t)number;
	else die_permanent("no group %s", group);
	return owners;
}

static bool find_user(const char *name, uid_t *user)
{
	const struct passwd *passwd = getpwnam(name);

	if (passwd) *user = passwd->pw_uid;
	return passwd;
}

static bool find_qmail_users(struct owners *owners)
{
	const struct group *group = getgrnam("qmail");

	if (!group || !find_user("qmailq", &owners->queue) ||
	    !find_user("qmails", &owners->send) ||
	    !find_user("qmailr", &owners->remote))
		return false;
	owners->group = group->gr_gid;
	owners->has_group = true;
	return true;
}

/* Ours, unless we are root: then that of qmail's users, where they are; but a
   queue that another one has stays his. */
static struct owners find_owners(const char *folder)
{
	struct owners qmail = { 0 };
	bool has_users;
	struct stat it;

	if (getuid() != 0) return one_owner(getuid());
	has_users = find_qmail_users(&qmail);
	if (stat(folder, &it) == 0 && it.st_uid != 0 &&
	    !(has_users && it.st_uid == qmail.queue))
		return one_owner(it.st_uid);
	return has_users ? qmail : one_owner(0);
}

/* ---- the work ---- */

static struct settings read_settings(int argc, char **argv, struct queue *queue)
{
	const char *usual = getenv("QUEUEDIR");
	struct settings settings = {
		.folder = usual && *usual ? usual : CHAINMAIL_HOME "/queue",
	};
	int letter;

	while ((letter = option_next(argc, argv, "bns:u:", synopsis)) != -1) {
		switch (letter) {
		case 'b': queue->split_todo = true; break;
		case 'n': queue->dry = true; break;
		case 's':
			queue->split = option_number(letter, 1, LARGEST_SPLIT,
						     synopsis);
			break;
		default: settings.user = optarg;
		}
	}
	if (argc - optind > 1) die_usage(synopsis);
	if (optind < argc) settings.folder = argv[optind];
	queue->owners = settings.user ? named_owner(settings.user)
				      : find_owners(settings.folder);
	return settings;
}

/* False: it is not there, and shall not be made. */
static bool enter(struct queue *queue, const char *folder)
{
	char shown[256];

	printable_text(shown, sizeof shown, folder);
	if (chdir(folder) == 0) return true;
	if (errno != ENOENT) die_temporary("cannot enter %s:", shown);
	if (!queue->dry && mkdir(folder, 0700) < 0)
		die_temporary("cannot create %s:", shown);
	if (!repair(queue, shown, "is not there", "created")) return false;
	queue->is_new = true;
	if (chdir(folder) < 0) die_temporary("cannot enter %s:", shown);
	return true;
}

int main(int argc, char **argv)
{
	struct queue queue = { 0 };
	struct settings settings;

	program_name = "queue-check";
	settings = read_settings(argc, argv, &queue);
	if (enter(&queue, settings.folder) && check_layout(&queue))
		check_messages(&queue);
	if (queue.changed) sync_queue(&queue);
	if (fflush(stdout) == EOF) die_temporary("cannot write:");
	return queue.wrong ? EXIT_WRONG : EXIT_DONE;
}
