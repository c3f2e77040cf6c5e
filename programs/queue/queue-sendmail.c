/* queue-sendmail: the end of a chain whose messages go to another mail system by
   its command: "sendmail -i -f sender -- recipient…" with the message on
   descriptor 0 says by its exit code (sysexits.h) what became of it. A comma or a
   blank in an envelope's address is a second address to such a command, which
   relays to it without a question; so each one is quoted, and refused where no
   quoting helps.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/stage.h"
#include "mail/stage_child.h"
#include "system/deadline.h"

enum {
	SECONDS = 300,
	SECONDS_LIMIT = 86400,
	QMAIL_TRY_AGAIN = 111,
	/* A shell's words for a program that is not there. */
	SHELL_CANNOT_RUN = 126,
	SHELL_NOT_FOUND = 127,
};

static const char synopsis[] =
	"queue-sendmail [ -t seconds ] [ program [ argument ... ] ]";

static const char bad_address[] = "Dno mail system takes that address (#5.1.3)";
static const char too_many[] = "Dtoo many recipients (#5.5.3)";

/* The command line's words, in one piece of memory that grows. */
struct words {
	struct str bytes;
	size_t count;
};

static void add_word(struct words *words, const char *word)
{
	str_append(&words->bytes, word, strlen(word) + 1);
	words->count++;
}

/* Without a domain, "|program" or "/file" may be more than an address. */
static bool is_plain_word(const char *address)
{
	for (; *address; address++)
		if (!((*address >= 'a' && *address <= 'z') ||
		      (*address >= 'A' && *address <= 'Z') ||
		      (*address >= '0' && *address <= '9') ||
		      strchr(".-_+=", *address)))
			return false;
	return true;
}

static int add_address(struct words *words, const char *address)
{
	struct str written = { 0 };
	int result = -1;

	if ((address_domain(address) || is_plain_word(address)) &&
	    address_write(&written, address) == 0) {
		add_word(words, written.length ? written.data : "<>");
		result = 0;
	}
	str_free(&written);
	return result;
}

static int make_words(struct words *words, const struct envelope *envelope,
		      char **program)
{
	const char *recipient = NULL;

	for (; *program; program++) add_word(words, *program);
	add_word(words, "-i");
	add_word(words, "-f");
	if (add_address(words, envelope->sender) < 0) return -1;
	add_word(words, "--");
	while ((recipient = envelope_next(envelope, recipient)))
		if (!*recipient || add_address(words, recipient) < 0) return -1;
	return 0;
}

static char **argument_list(const struct words *words)
{
	char **list = calloc(words->count + 1, sizeof *list);
	char *at = words->bytes.data;

	if (!list) str_die_of_memory();
	for (size_t i = 0; i < words->count; i++) {
		list[i] = at;
		at += strlen(at) + 1;
	}
	return list;
}

/* It must not hold the pipe for the error text: some leave a process behind, and
   the SMTP server waits for the pipe's end. What it prints is for the log. */
static size_t set_descriptors(struct stage_descriptor *descriptors, int message)
{
	descriptors[0] = (struct stage_descriptor){ 0, message };
	descriptors[1] = (struct stage_descriptor){ 1, 2 };
	return stage_child_give_texts(descriptors, 2, -1);
}

/* What is wrong with the system and not with the message is temporary: these
   codes, and a death. */
static enum queue_exit_code code_for(int exit_code)
{
	switch (exit_code) {
	case EX_OK: return QUEUE_DONE;
	case EX_TEMPFAIL:
	case EX_SOFTWARE:
	case EX_OSERR:
	case EX_OSFILE:
	case EX_CANTCREAT:
	case EX_IOERR:
	case EX_CONFIG:
	case QMAIL_TRY_AGAIN:
	case SHELL_CANNOT_RUN:
	case SHELL_NOT_FOUND: return QUEUE_TRY_AGAIN;
	default: return QUEUE_REFUSED;
	}
}

static enum queue_exit_code judge(const struct stage *stage,
				  struct stage_child_end end)
{
	enum queue_exit_code code = QUEUE_TRY_AGAIN;
	struct str reason = { 0 };

	switch (end.ending) {
	case STAGE_CHILD_EXITED:
		code = code_for(end.number);
		str_append_text(&reason, "exit code ");
		str_append_number(&reason, (unsigned long)end.number);
		break;
	case STAGE_CHILD_CRASHED:
		str_append_text(&reason, "killed by signal ");
		str_append_number(&reason, (unsigned long)end.number);
		break;
	case STAGE_CHILD_LATE:
		code = QUEUE_TIMED_OUT;
		str_append_text(&reason, "it took too long");
		break;
	}
	if (code == QUEUE_DONE) stage_log(stage, "sent", NULL);
	else
		stage_log(stage, code == QUEUE_REFUSED ? "refused" : "deferred",
			  reason.data);
	return code;
}

static enum queue_exit_code refuse(const struct stage *stage, const char *text)
{
	stage_log(stage, "refused", text + 1);
	return stage_refuse(text);
}

static enum queue_exit_code hand_over(const struct stage *stage, char **program,
				      unsigned long seconds)
{
	struct stage_descriptor descriptors[2 + STAGE_CHILD_TEXTS];
	struct words words = { 0 };
	char shown[256];
	int message;
	pid_t child;

	if (make_words(&words, &stage->envelope, program) < 0)
		return refuse(stage, bad_address);
	message = stage_child_message(&stage->message, false);
	if (message < 0) {
		warn("cannot store the message:");
		return QUEUE_CANNOT_WRITE;
	}
	child = stage_child_start(argument_list(&words), environ, descriptors,
				  set_descriptors(descriptors, message));
	if (child < 0 && errno == E2BIG) return refuse(stage, too_many);
	if (child < 0) {
		note("fatal: unable to run %s: %s",
		     printable_text(shown, sizeof shown, *program),
		     error_text(errno));
		return QUEUE_CANNOT_EXEC;
	}
	return judge(stage, stage_child_wait(child, deadline_in(seconds)));
}

int main(int argc, char **argv)
{
	static char usual_program[] = "/usr/sbin/sendmail";
	static char *usual[] = { usual_program, NULL };
	struct stage stage = { 0 };
	unsigned long seconds = SECONDS;
	enum queue_exit_code code;

	program_name = "queue-sendmail";
	while (option_next(argc, argv, "t:", synopsis) != -1)
		seconds = option_number('t', 1, SECONDS_LIMIT, synopsis);
	argv += optind;
	stage_start();
	code = stage_take(&stage);
	if (code != QUEUE_DONE) return (int)code;
	if (stage.envelope.recipient_count == 0) {
		stage_log(&stage, "discarded", NULL);
		return QUEUE_DONE;
	}
	return (int)hand_over(&stage, *argv ? argv : usual, seconds);
}
