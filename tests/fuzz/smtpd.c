/* Whole sessions of smtpd, without its main. Of the input, five bytes choose
   settings and one says how many follow that helper programs answer: for each of
   them how it ends, its words, and a byte 254; those who come later have usual
   answers. The rest is what the client says, in pieces of varied length. Streams,
   helpers and the queue program are played by this file; exit comes back here.
   What must hold: every reply is a line that begins with a code, ends in CR LF and
   holds nothing but printable ASCII; no log line holds anything else, either; what
   is put before a message is a header and no more; a message is queued only with a
   whole envelope, each of whose addresses is within its limit; memory stays
   small.
   Linked with --wrap for exit, note, setenv, unsetenv, send, helper_start and
   helper_finish (scripts/fuzz).
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../programs/smtp/smtpd/auth.h"
#include "../../programs/smtp/smtpd/log.h"
#include "../../programs/smtp/smtpd/plugins.h"
#include "../../programs/smtp/smtpd/session.h"
#include "../../programs/smtp/smtpd/verbs.h"
#include "base/message.h"
#include "mail/envelope.h"
#include "system/helper.h"
#include "system/table_maker.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
const char *__asan_default_options(void);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
void __wrap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int __wrap_helper_start(struct helper *, const struct helper_plan *);
void __wrap_helper_finish(struct helper *, struct helper_answer *);
int __wrap_setenv(const char *name, const char *value, int overwrite);
int __real_unsetenv(const char *name);
int __wrap_unsetenv(const char *name);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags);

enum {
	CHOICE_BYTES = 5,
	SETTING_BYTES = CHOICE_BYTES + 2,
	END_OF_ANSWER = 254,
	NOT_THERE = 253, /* it cannot be run */
	LONGEST_ADDRESS = ENVELOPE_ADDRESS_LIMIT - 1,
	MOST_MEMORY = 4 * 1024 * 1024,
	MOST_VARIABLES = 256,
};

static struct session session;
static jmp_buf end_of_session;
static bool in_session;

static const uint8_t *input, *input_end;
static const uint8_t *answers, *answers_end;
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

void stream_give_back(struct stream_in *in)
{
	(void)in;
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

/* An empty line would end the header, and what follows be the text of anybody. */
static void check_header(const char *bytes, size_t length)
{
	if (length == 0 || bytes[length - 1] != '\n' || *bytes == '\n')
		__builtin_trap();
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\0' || bytes[i] == '\r') __builtin_trap();
		if (bytes[i] == '\n' && i + 1 < length && bytes[i + 1] == '\n')
			__builtin_trap();
	}
}

void queue_client_write(struct queue_client *queue, const void *bytes,
			size_t length)
{
	if (queue->written == 0) check_header(bytes, length);
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

struct words {
	const char *program;
	int exit_code;
	const char *text;
	size_t length;
};

#define WORDS(program, code, text)                                             \
	{                                                                      \
		program, code, text, sizeof text - 1                           \
	}

static const struct words usual_words[] = {
	WORDS("mxcheck", 0, "ok\n"),
	WORDS("mxcheck", 1, "none\n"),
	WORDS("mxcheck", 2, "nullmx\n"),
	WORDS("spfcheck", 0,
	      "pass\n\nReceived-SPF: pass (x) \"a b\"\nb.example mailfrom a\n"),
	WORDS("spfcheck", 1,
	      "fail\nno \377\r such\nReceived-SPF: fail (x)\n- helo local\n"),
	WORDS("spfcheck", 5,
	      "temperror\n\nReceived-SPF: temperror ((\nx mailfrom\n"),
	WORDS("rblcheck", 0, "reject\tbase\tany\t127.0.0.2\ttext \r\n"),
	WORDS("rblcheck", 0, "addheader\tbase\t127.0.0.2\t127.0.0.2\t\r\377\n"),
	WORDS("rblcheck", 1, ""),
	WORDS("auth-cdb", 0, "NAME=VALUE\0RELAYCLIENT\0DATABYTES=5\0"),
	WORDS("auth-cdb", 0, "\0"),
	WORDS("auth-cdb", 1, "bad password"),
	WORDS("auth-cdb", 1, "malformed answer"),
	WORDS("/bin/check", 0, ""),
	WORDS("/bin/check", 100, "550 no\r\n250 yes"),
	WORDS("/bin/check", 111, "421 no"),
	WORDS("plugin", 0, "E550 no\r\nHX-A: b\r\nCa@b\nSA=b\nLR450 later"),
	WORDS("plugin", 0, "HX-A: b\nSVALIDRCPTTO_CDB=\nURBL\nP250 x\nO"),
	WORDS("plugin", 0, "LD550 a\nLD450 b\nLM550 c\nN\n"),
	WORDS("checker", 0, ""),
	WORDS("checker", 1, ""),
};

enum { USUAL_WORDS = sizeof usual_words / sizeof *usual_words };

/* One of those that there are for the program. */
static const struct words *find_words(const char *program)
{
	const struct words *found = NULL;
	unsigned passed = helpers_say % 3U;

	for (size_t i = 0; i < USUAL_WORDS; i++) {
		if (strcmp(program, usual_words[i].program) != 0) continue;
		found = &usual_words[i];
		if (passed-- == 0) break;
	}
	return found;
}

static int talk_of_helper = -1;
static int messages;

static void open_talk(struct helper *helper)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		__builtin_trap();
	helper->talk = ends[0];
	talk_of_helper = ends[1];
	messages = 0;
}

static void close_talk(int talk)
{
	if (talk >= 0) close(talk);
	if (talk_of_helper >= 0) close(talk_of_helper);
	talk_of_helper = -1;
}

/* What auth-cdb says in an exchange. */
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags)
{
	static const char *const says[] = {
		"r=abcdef,s=QSXCR+Q6sek8bd92,i=4096", "v=AAAA"
	};
	const char *text = says[messages++ % 2];

	(void)fd;
	(void)bytes;
	(void)flags;
	if (helpers_say % 3 == 2) text = "e\r\377";
	if (write(talk_of_helper, text, strlen(text) + 1) < 0) return -1;
	/* No more is coming. */
	if (helpers_say % 5 == 3) shutdown(talk_of_helper, SHUT_WR);
	return (ssize_t)length;
}

int __wrap_helper_start(struct helper *helper, const struct helper_plan *plan)
{
	const struct words *words = find_words(*plan->arguments);

	*helper = (struct helper){ .output = -1, .talk = -1 };
	helper->pid = words ? (pid_t)(words - usual_words) : USUAL_WORDS;
	helper->end = deadline_in(1);
	if (answers < answers_end && *answers == NOT_THERE) {
		answers++;
		errno = ENOENT;
		return -1;
	}
	if (plan->talk_fd) open_talk(helper);
	return 0;
}

/* From the input. */
static struct words next_words(void)
{
	static const int codes[] = { 0, 1, 2, 3, 4, 5, 6, 100, 111, 113, 120 };
	struct words words = { .exit_code = *answers++ };
	const uint8_t *end =
		memchr(answers, END_OF_ANSWER, (size_t)(answers_end - answers));

	if (!end) end = answers_end;
	words.text = (const char *)answers;
	words.length = (size_t)(end - answers);
	answers = end < answers_end ? end + 1 : end;
	if (words.exit_code < 240)
		words.exit_code = codes[(size_t)words.exit_code %
					(sizeof codes / sizeof *codes)];
	return words;
}

void __wrap_helper_finish(struct helper *helper, struct helper_answer *answer)
{
	struct words words = { .text = "" };

	close_talk(helper->talk);
	if (answers < answers_end) words = next_words();
	else if (helper->pid < USUAL_WORDS) words = usual_words[helper->pid];
	answer->ending = words.exit_code < 240   ? HELPER_EXITED
			 : words.exit_code < 248 ? HELPER_CRASHED
						 : HELPER_TIMED_OUT;
	answer->exit_code =
		answer->ending == HELPER_EXITED ? words.exit_code : -1;
	if (answer->size == 0) return;
	if (words.length >= answer->size) words.length = answer->size - 1;
	memcpy(answer->output, words.text, words.length);
	answer->output[words.length] = '\0';
	answer->length = words.length;
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

static const char *const files[][2] = {
	{ "me", "mx.example.org" },
	{ "rcpthosts", "example.org\n.example.com\n" },
	{ "badmailfrom", "bad@example.net\n@bad.example\n^a.*b$\n" },
	{ "badrcptto", "bad@example.org\n!example\n" },
	{ "badhelo", "^\\[\nlocalhost\n" },
	{ "locals", "example.org\n" },
	{ "tlsclients", "a@example.org\n" },
	{ "smtpplugins", "[connection]\nplugin a\n[helo]\nplugin b\n"
			 "[mail]\nplugin c\n[rcpt]\nplugin d\nplugin\n"
			 "[data]\n:plugin e\n[auth]\nplugin f\n" },
	{ "badmailfromnorelay", "^no" },
	{ "badrcpttonorelay", "^no" },
	{ "goodmailaddr", "@example.com\n" },
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
	"RCPTCHECK=/bin/check",
	"SANITYCHECK=",
	"DATABYTES=100",
	"SMTP_PROTOCOL_WORDS=1",
	/* third byte */
	"SSL=1",
	"SSL_VERIFY_STATUS=OK",
	"SMTP_IPREV=1",
	"LOGLEVEL=4",
	"SMTP_UTF8=2",
	"SENDERCHECK=LOOSE",
	"RCPTCHECK=",
	"VALIDRCPTTO_CDB=@table",
	/* fourth */
	"SMTPD_ERROR_LIMIT=5",
	"SMTPD_JUNK_LIMIT=5",
	"SMTP550DISCONNECT=",
	"550GREETING=\r\nno",
	"421GREETING=",
	"MAXRCPT=1",
	"MAXRCPTCOUNT=2",
	"TARPITCOUNT=1",
	/* fifth */
	"RETURNMXCHECK=",
	"NOBOUNCE=",
	"SMTPD_ONE_BOUNCE_RECIPIENT=",
	"LOGREGEX=",
	"VALIDRCPTTO_LIMIT=2",
	"AUTH_SET_VALIDRCPTTO_CDB=@table",
	"AUTHREQUIRED=",
	"SMTPD_AUTH_CHALLENGE_FIRST=1",
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
	"SPF_LOG=1",
	"VALIDRCPTTO_LOG=2",
	"SSL_CIPHER=A\r\nB",
	"SSL_PROTOCOL=\377",
	"SSL_VERIFY_STRING=no\r\n250 yes",
	"SSL_CLIENT_S_DN_Email=a@example.org",
	"TCPREMOTEINFO=who\r \n)",
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

/* Those behind are the session's. */
static size_t variables_before;

/* As musl does, which others point into at their peril. */
static void forget_variable(const char *name, size_t count)
{
	size_t length = strlen(name);

	for (size_t i = variables_before; i < count; i++) {
		if (strncmp(variables[i], name, length) != 0 ||
		    variables[i][length] != '=')
			continue;
		free(variables[i]);
		variables[i] = variables[--variable_count];
		return;
	}
}

int __wrap_setenv(const char *name, const char *value, int overwrite)
{
	size_t count = variable_count;
	char *variable;

	(void)overwrite;
	if (!*name) {
		errno = EINVAL;
		return -1;
	}
	if (asprintf(&variable, "%s=%s", name, value) < 0) return -1;
	put(variable);
	if (variable_count > count) forget_variable(name, count);
	return 0;
}

int __wrap_unsetenv(const char *name)
{
	int result = __real_unsetenv(name);

	forget_variable(name, variable_count);
	return result;
}

static char folder[] = "/tmp/fuzz-smtpd.XXXXXX";

/* "@table" is a path that is not known before. */
static void put_choice(const char *choice)
{
	const char *at = strstr(choice, "@table");
	char *variable;

	if (!at) variable = strdup(choice);
	else if (asprintf(&variable, "%.*s%s/table", (int)(at - choice), choice,
			  folder) < 0)
		__builtin_trap();
	put(variable);
}

static void set_environment(const uint8_t *chosen)
{
	clearenv();
	variables_before = 0;
	while (variable_count > 0) free(variables[--variable_count]);
	__wrap_setenv("CONTROLDIR", folder, 1);
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		put(strdup(always[i]));
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (chosen[i / 8] >> i % 8 & 1) put_choice(choices[i]);
	variables_before = variable_count;
}

static void remove_folder(void)
{
	char path[256];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/table", folder);
	unlink(path);
	rmdir(folder);
}

static void make_table(void)
{
	struct table_maker maker;
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/table", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || table_make_start(&maker, fd) < 0 ||
	    table_make_add(&maker, "u@example.org", 13, "", 0) < 0 ||
	    table_make_add(&maker, "a-default@example.org", 21, "-", 1) < 0 ||
	    table_make_add(&maker, "@example.com", 12, "", 0) < 0 ||
	    table_make_finish(&maker, NULL) < 0)
		__builtin_trap();
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[256];

	(void)argc;
	(void)argv;
	/* As main has it: a helper of ours may write behind its own end. */
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder)) __builtin_trap();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *file;

		snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
		file = fopen(path, "w");
		if (!file) __builtin_trap();
		fputs(files[i][1], file);
		fclose(file);
	}
	make_table();
	atexit(remove_folder);
	return 0;
}

/* ---- a session ---- */

/* A session that ends in the middle frees nothing, as the process ends. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static void prepare_auth(void)
{
	static char program[] = "smtpd", host[] = "mx.example.org";
	static char checker[] = "checker", truth[] = "true";
	char *words[] = { program, host, checker, truth, NULL };

	optind = 1;
	auth_prepare(&session, helpers_say & 128 ? 4 : 1, words);
}

static void serve(void)
{
	const char *what;

	log_open(getenv("LOGLEVEL"));
	session_open(&session);
	if (getenv("SSL")) session.tls.state = TLS_ALWAYS;
	if (settings_read(&session.settings, session.client.relay_suffix,
			  &what) < 0)
		__builtin_trap();
	prepare_auth();
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
		&session.auth.environment,
		&session.rbl.ip,
		&session.rbl.listings,
		&session.transaction.spf_variables,
	};
	struct plugins *plugins = &session.plugins;
	struct plugins_said *const said[] = { &plugins->of_client,
					      &plugins->of_helo,
					      &plugins->of_transaction };

	clearenv();
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) str_free(all[i]);
	for (size_t i = 0; i < PLUGINS_PHASES; i++)
		str_free(&plugins->programs[i]);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		str_free(&said[i]->of_mail);
		str_free(&said[i]->of_rcpt);
		str_free(&said[i]->of_data);
		str_free(&said[i]->fields);
	}
	memset(plugins, 0, sizeof *plugins);
	memset(&session.results, 0, sizeof session.results);
	session.reply.length = 0;
	memset(&session, 0, offsetof(struct session, output));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < SETTING_BYTES) return 0;
	helpers_say = bytes[CHOICE_BYTES];
	answers = bytes + SETTING_BYTES;
	answers_end = answers + bytes[CHOICE_BYTES + 1];
	input_end = bytes + length;
	if (answers_end > input_end) answers_end = input_end;
	input = answers_end;
	reply_length = 0;
	set_environment(bytes);
	in_session = true;
	if (setjmp(end_of_session) == 0) serve();
	in_session = false;
	close_talk(-1);
	if (session.transaction.envelope.room > MOST_MEMORY ||
	    session.transaction.headers.room > MOST_MEMORY)
		__builtin_trap();
	free_session();
	return 0;
}
