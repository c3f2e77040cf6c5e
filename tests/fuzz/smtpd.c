/* Whole sessions of smtpd, without its main: the first bytes choose settings and
   what helper programs answer, the rest is what the client says, in pieces of
   varied length. Streams, helpers and the queue program are played by this file;
   exit comes back here.
   What must hold: every reply is a line that begins with a code, ends in CR LF and
   holds nothing but printable ASCII; no log line holds anything else, either; a
   message is queued only with a whole envelope, each of whose addresses is within
   its limit; memory stays small.
   Linked with --wrap for exit, note, setenv, helper_start and helper_finish
   (scripts/fuzz).
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../programs/smtp/smtpd/auth.h"
#include "../../programs/smtp/smtpd/plugins.h"
#include "../../programs/smtp/smtpd/session.h"
#include "../../programs/smtp/smtpd/verbs.h"
#include "base/message.h"
#include "mail/envelope.h"
#include "system/helper.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
const char *__asan_default_options(void);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
void __wrap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int __wrap_helper_start(struct helper *, const struct helper_plan *);
void __wrap_helper_finish(struct helper *, struct helper_answer *);
int __wrap_setenv(const char *name, const char *value, int overwrite);

enum {
	SETTING_BYTES = 3,
	LONGEST_ADDRESS = ENVELOPE_ADDRESS_LIMIT - 1,
	MOST_MEMORY = 4 * 1024 * 1024,
	MOST_VARIABLES = 256,
};

static struct session session;
static jmp_buf end_of_session;
static bool in_session;

static const uint8_t *input, *input_end;
static uint8_t helpers_say;

static char reply_line[4096];
static size_t reply_length;

/* ---- what the client hears ---- */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static void check_reply(void)
{
	const char *line = reply_line;

	if (reply_length < 6 || line[reply_length - 2] != '\r')
		__builtin_trap();
	if (line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
	    !is_digit(line[2]) || (line[3] != ' ' && line[3] != '-'))
		__builtin_trap();
	for (size_t i = 0; i + 2 < reply_length; i++)
		if (line[i] < ' ' || line[i] > '~') __builtin_trap();
}

int stream_put(struct stream_out *out, const void *bytes, size_t length)
{
	(void)out;
	for (size_t i = 0; i < length; i++) {
		if (reply_length == sizeof reply_line) __builtin_trap();
		reply_line[reply_length++] = ((const char *)bytes)[i];
		if (((const char *)bytes)[i] != '\n') continue;
		check_reply();
		reply_length = 0;
	}
	return 0;
}

int stream_put_text(struct stream_out *out, const char *text)
{
	return stream_put(out, text, strlen(text));
}

int stream_flush(struct stream_out *out)
{
	(void)out;
	return 0;
}

ssize_t stream_write_some(int fd, enum stream_kind *kind, const void *bytes,
			  size_t length)
{
	(void)fd;
	(void)kind;
	(void)bytes;
	return (ssize_t)length;
}

void stream_shut(int out)
{
	(void)out;
}

void stream_drain(int in, deadline end)
{
	(void)in;
	(void)end;
}

/* ---- what the client says ---- */

ssize_t stream_fill(struct stream_in *in)
{
	size_t room, given = (size_t)(input_end - input);

	if (in->start == in->end) in->start = in->end = 0;
	if (in->start > 0 && in->end == in->size) {
		memmove(in->data, in->data + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	room = in->size - in->end;
	if (room == 0) {
		errno = ENOBUFS;
		return -1;
	}
	if (given == 0) return 0;
	/* The pieces depend on the bytes, and on nothing else. */
	if (given > 1 + (size_t)*input * 8) given = 1 + (size_t)*input * 8;
	if (given > room) given = room;
	memcpy(in->data + in->end, input, given);
	in->end += given;
	input += given;
	return (ssize_t)given;
}

/* ---- those who are asked ---- */

int queue_client_start(struct queue_client *queue,
		       const struct queue_client_settings *settings)
{
	memset(queue, 0, sizeof *queue);
	queue->settings = settings;
	queue->pid = 1;
	if (helpers_say != 7) return 0;
	errno = EAGAIN;
	return -1;
}

void queue_client_write(struct queue_client *queue, const void *bytes,
			size_t length)
{
	(void)bytes;
	queue->written += length;
}

void queue_client_abandon(struct queue_client *queue)
{
	queue->failure = ECANCELED;
	queue->closed = true;
}

struct queue_result queue_client_finish(struct queue_client *queue,
					const struct str *bytes)
{
	struct queue_result result = { .verdict = QUEUE_DEFERS };
	struct envelope envelope;
	const char *recipient = NULL;

	strcpy(result.text,
	       "mail server temporarily rejected message (#4.3.0)");
	if (queue->closed) return result;
	if (envelope_parse(bytes->data, bytes->length, &envelope) !=
		    ENVELOPE_WHOLE ||
	    envelope.recipient_count == 0)
		__builtin_trap();
	if (strlen(envelope.sender) > LONGEST_ADDRESS) __builtin_trap();
	while ((recipient = envelope_next(&envelope, recipient)))
		if (strlen(recipient) > LONGEST_ADDRESS) __builtin_trap();
	result.verdict = (enum queue_verdict)(helpers_say % 3);
	return result;
}

int __wrap_helper_start(struct helper *helper, const struct helper_plan *plan)
{
	*helper = (struct helper){ .pid = 1, .output = -1, .talk = -1 };
	if (helpers_say % 5 != 4 && !plan->talk_fd) return 0;
	errno = ENOENT;
	return -1;
}

void __wrap_helper_finish(struct helper *helper, struct helper_answer *answer)
{
	static const char *const words[] = {
		"",
		"pass\n\npass (mx: x designates y) client-ip=192.0.2.1;\n",
		"fail\nno \377\r\n such\nfail (x)\n",
		"E550 no\r\nHX-A: b\r\nCa@b\nSA=b\nLR450 later",
		"NAME=VALUE\0RELAYCLIENT=\0",
		"reject\tbase\t127.0.0.2\ttext \r\n",
		"R\nP\nD\n",
	};
	const char *text = words[helpers_say % (sizeof words / sizeof *words)];
	size_t length = strlen(text);

	(void)helper;
	answer->ending = HELPER_EXITED;
	answer->exit_code = helpers_say / 8;
	if (helpers_say == 255) answer->ending = HELPER_TIMED_OUT;
	if (answer->size == 0) return;
	if (length >= answer->size) length = answer->size - 1;
	memcpy(answer->output, text, length);
	answer->output[length] = '\0';
	answer->length = length;
}

/* ---- the log and the end ---- */

void __wrap_note(const char *format, ...)
{
	char line[MESSAGE_LIMIT * 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	for (const char *at = line; *at; at++)
		if (*at < ' ' || *at > '~') __builtin_trap();
}

void __wrap_exit(int code)
{
	/* libFuzzer ends that way, too. */
	if (!in_session) __real_exit(code);
	longjmp(end_of_session, 1);
}

/* ---- settings ---- */

static char folder[] = "/tmp/fuzz-smtpd.XXXXXX";

static const char *const files[][2] = {
	{ "me", "mx.example.org" },
	{ "rcpthosts", "example.org\n.example.com\n" },
	{ "badmailfrom", "bad@example.net\n@bad.example\n^a.*b$\n" },
	{ "badrcptto", "bad@example.org\n!example\n" },
	{ "badhelo", "^\\[\nlocalhost\n" },
	{ "locals", "example.org\n" },
	{ "tlsclients", "a@example.org\n" },
	{ "smtpplugins", "[mail]\na\n[rcpt]\nb\n[helo]\nc\n[data]\nd\n" },
	{ "rbllist", "list.example reject any text\n" },
	{ "signatures", "TVqQ\n" },
};

static const char *const choices[] = {
	"SMTP_ENHANCED=1",
	"XCLIENT=1",
	"ALLOW_BARELF=1",
	"RELAYCLIENT=@suffix",
	"MFCHECK=3",
	"SPFBEHAVIOR=3",
	"ALLOW_INSECURE_AUTH=1",
	"AUTH_CDB=/dev/null",
	"ENABLE_SPP=",
	"RBL=",
	"SMTP_AUTH_RESULTS=1",
	"REJECTEXEC=",
	"RCPTCHECK=/bin/true",
	"SANITYCHECK=",
	"DATABYTES=100",
	"SMTP_PROTOCOL_WORDS=1",
};
static const char *const always[] = {
	"TCPREMOTEIP=192.0.2.7",
	"TCPREMOTEHOST=client\n\303.example",
	"QMAILSMTPD_LOG_MAIL=1",
	"QMAILSMTPD_LOG_RCPT=1",
	"SMTPD_AUTH_DELAY=0",
	"TARPITDELAY=0",
	"SMTPAUTH=+cram+scram",
	"RELAYREJ=1",
	"TCPREMOTEINFO=who\rever)",
};

/* What a session sets goes with it: libc's own setenv keeps it for ever. */
static char *variables[MOST_VARIABLES];
static size_t variable_count;

static void put(char *variable)
{
	if (variable_count < MOST_VARIABLES) {
		variables[variable_count++] = variable;
		putenv(variable);
	} else free(variable);
}

int __wrap_setenv(const char *name, const char *value, int overwrite)
{
	char *variable;

	(void)overwrite;
	if (asprintf(&variable, "%s=%s", name, value) < 0) return -1;
	put(variable);
	return 0;
}

static void set_environment(const uint8_t *chosen)
{
	clearenv();
	while (variable_count > 0) free(variables[--variable_count]);
	__wrap_setenv("CONTROLDIR", folder, 1);
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		put(strdup(always[i]));
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (chosen[i / 8] >> i % 8 & 1) put(strdup(choices[i]));
}

static void remove_folder(void)
{
	char path[256];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
		unlink(path);
	}
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[256];

	(void)argc;
	(void)argv;
	if (!mkdtemp(folder)) __builtin_trap();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *file;

		snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
		file = fopen(path, "w");
		if (!file) __builtin_trap();
		fputs(files[i][1], file);
		fclose(file);
	}
	atexit(remove_folder);
	return 0;
}

/* ---- a session ---- */

/* A session that ends in the middle frees nothing, as the process ends. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static void serve(void)
{
	const char *what;

	session_open(&session);
	if (settings_read(&session.settings, session.client.relay_suffix,
			  &what) < 0)
		__builtin_trap();
	auth_prepare(&session, 0, NULL);
	plugins_open(&session);
	greet(&session);
	for (;;)
		if (session_read_line(&session) == SMTP_LINE_WHOLE)
			run_command(&session, session.line.text);
}

static void free_session(void)
{
	struct str *const all[] = {
		&session.settings.me,
		&session.settings.greeting,
		&session.settings.literal_host,
		&session.settings.recipient_hosts,
		&session.auth.login,
		&session.helo,
		&session.address,
		&session.refusal,
		&session.transaction.sender,
		&session.transaction.spf_refusal,
		&session.transaction.spf_result,
		&session.transaction.spf_identity,
		&session.transaction.envelope,
		&session.transaction.headers,
		&session.transaction.headers_below,
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) str_free(all[i]);
	memset(&session, 0, offsetof(struct session, output));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < SETTING_BYTES) return 0;
	helpers_say = bytes[2];
	input = bytes + SETTING_BYTES;
	input_end = bytes + length;
	reply_length = 0;
	set_environment(bytes);
	in_session = true;
	if (setjmp(end_of_session) == 0) serve();
	in_session = false;
	if (session.transaction.envelope.room > MOST_MEMORY ||
	    session.transaction.headers.room > MOST_MEMORY)
		__builtin_trap();
	free_session();
	return 0;
}
