/* SPDX-License-Identifier: ISC */
#include "mail/vpopmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/parse.h"
#include "mail/accounts.h"
#include "system/file.h"
#include "system/process.h"

/* A database that does not answer. */
enum { PROGRAM_SECONDS = 600 };

/* VPOPMAIL/bin/NAME for the folder VPOPMAIL/domains/… */
static bool find_program(struct str *path, const char *folder, const char *name)
{
	const char *domains = strstr(folder, "/domains/");

	if (!domains || *folder != '/') return false;
	str_clear(path);
	str_append(path, folder, (size_t)(domains - folder));
	str_append_text(path, "/bin/");
	str_append_text(path, name);
	return access(path->data, X_OK) == 0;
}

static _Noreturn void run_program(char *const argv[], int output,
				  const struct vpopmail_domain *domain)
{
	static char *const environment[] = { NULL };
	const char *step;
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 ||
	    (geteuid() == 0 &&
	     process_drop_privileges(domain->user, domain->group, &step) < 0))
		_exit(EXIT_TRY_AGAIN);
	alarm(PROGRAM_SECONDS);
	process_exec(argv, environment, NULL);
	_exit(EXIT_TRY_AGAIN);
}

static int read_answer(int from, pid_t child, struct str *answer)
{
	int status, cause = 0;

	str_clear(answer);
	if (file_read_rest(from, answer, ACCOUNTS_LIMIT) < 0) cause = errno;
	close(from);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR) return -1;
	if (cause || status != 0) {
		errno = cause ? cause : EPROTO;
		return -1;
	}
	return 0;
}

/* A user of 0 would run it as root: qmail refuses such an assignment, too. */
static int ask_program(char *const argv[], const struct vpopmail_domain *domain,
		       struct str *answer)
{
	int ends[2];
	pid_t child;

	if (geteuid() == 0 && (domain->user == 0 || domain->group == 0)) {
		errno = EPERM;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) return -1;
	child = fork();
	if (child == 0) run_program(argv, ends[1], domain);
	close(ends[1]);
	if (child > 0) return read_answer(ends[0], child, answer);
	close(ends[0]);
	return -1;
}

/* The answer has lines: a NUL in place of each newline. */
static int read_lines(struct vpopmail *vpopmail, char *const argv[],
		      const struct vpopmail_domain *domain)
{
	struct str *answer = &vpopmail->answer;

	vpopmail->is_of_program = true;
	vpopmail->at = 0;
	if (ask_program(argv, domain, answer) < 0) return -1;
	for (size_t i = 0; i < answer->length; i++)
		if (answer->data[i] == '\n') answer->data[i] = '\0';
	return 0;
}

static char *next_line(struct vpopmail *vpopmail)
{
	const struct str *answer = &vpopmail->answer;
	char *line = answer->data + vpopmail->at;

	if (vpopmail->at >= answer->length) return NULL;
	vpopmail->at += strlen(line) + 1;
	return line;
}

/* Three lines a mailbox: its name, password and gid. Only these are asked for:
   what else there is, its owner may have written. */
static bool next_of_program(struct vpopmail *vpopmail,
			    struct vpopmail_mailbox *mailbox)
{
	const char *name = next_line(vpopmail), *password, *flags;

	password = name ? next_line(vpopmail) : NULL;
	flags = password ? next_line(vpopmail) : NULL;
	if (!flags) return false;
	*mailbox = (struct vpopmail_mailbox){ name, password, 0 };
	return parse_number(flags, 0, UINT32_MAX, &mailbox->flags) == 0;
}

static int check_answer(struct vpopmail *vpopmail)
{
	struct vpopmail_mailbox mailbox;

	while (vpopmail->at < vpopmail->answer.length)
		if (!next_of_program(vpopmail, &mailbox)) {
			errno = EPROTO;
			return -1;
		}
	vpopmail->at = 0;
	return 0;
}

static int ask_vuserinfo(struct vpopmail *vpopmail,
			 const struct vpopmail_domain *domain)
{
	static struct str path, name;
	char options[] = "-npg", of_domain[] = "-D";
	char *argv[5] = { NULL, options, of_domain, NULL, NULL };

	if (!find_program(&path, domain->folder, "vuserinfo")) {
		errno = ENOENT;
		return -1;
	}
	str_clear(&name);
	str_append_text(&name, domain->name);
	argv[0] = path.data;
	argv[3] = name.data;
	if (read_lines(vpopmail, argv, domain) < 0) return -1;
	return check_answer(vpopmail);
}

int vpopmail_read_mailboxes(struct vpopmail *vpopmail,
			    const struct vpopmail_domain *domain)
{
	static struct str path;

	str_clear(&path);
	str_append_text(&path, domain->folder);
	str_append_text(&path, "/vpasswd");
	vpopmail->is_of_program = false;
	if (colon_file_read(&vpopmail->vpasswd, path.data, ACCOUNTS_LIMIT) == 0)
		return 0;
	return errno == ENOENT ? ask_vuserinfo(vpopmail, domain) : -1;
}

bool vpopmail_next_mailbox(struct vpopmail *vpopmail,
			   struct vpopmail_mailbox *mailbox)
{
	char **field = vpopmail->vpasswd.field;

	if (vpopmail->is_of_program) return next_of_program(vpopmail, mailbox);
	while (colon_file_next(&vpopmail->vpasswd)) {
		*mailbox = (struct vpopmail_mailbox){ field[0], field[1], 0 };
		if (*field[0] && vpopmail->vpasswd.fields >= 4 &&
		    parse_number(field[3], 0, UINT32_MAX, &mailbox->flags) == 0)
			return true;
	}
	return false;
}

int vpopmail_read_aliases(struct vpopmail *vpopmail,
			  const struct vpopmail_domain *domain)
{
	static struct str path, name;
	char options[] = "-s";
	char *argv[4] = { NULL, options, NULL, NULL };

	if (!find_program(&path, domain->folder, "valias")) {
		str_clear(&vpopmail->answer);
		return 0;
	}
	str_clear(&name);
	str_append_text(&name, domain->name);
	argv[0] = path.data;
	argv[2] = name.data;
	return read_lines(vpopmail, argv, domain);
}

/* "NAME@DOMAIN -> LINE"; a line of an alias may hold anything. */
bool vpopmail_next_alias(struct vpopmail *vpopmail, const char **name)
{
	char *line;

	while ((line = next_line(vpopmail)) != NULL) {
		char *at = strchr(line, '@');
		const char *arrow = strstr(line, " -> ");

		if (!at || !arrow || at > arrow || at == line) continue;
		*at = '\0';
		*name = line;
		return true;
	}
	return false;
}

void vpopmail_close(struct vpopmail *vpopmail)
{
	colon_file_close(&vpopmail->vpasswd);
	str_free(&vpopmail->answer);
	*vpopmail = (struct vpopmail){ 0 };
}
