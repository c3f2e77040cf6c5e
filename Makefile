# chainmail: the SMTP server that is a chain of small programs.
#
#   make            every program, in build/bin
#   make check      all tests (SANITIZE=1: under ASan and UBSan)
#   make run        the whole chain on a loopback port (PORT=, RUN_DIR=)
#   make bench      side by side with the peers; make fuzz FUZZ_SECONDS=60
#   make lint       what CI asks of the sources; make format
#   make install    into DESTDIR + the home of conf-home; make uninstall
#   make deps       what building and testing needs (apt); make clean
#
# A program is programs/STAGE/NAME.c, or a folder programs/STAGE/NAME/.
# It is linked statically against musl where that is here: a chain pays for
# every exec, and libc's start-up is most of it.

home := $(shell head -n 1 conf-home)
musl := build/deps/musl
ifeq ($(origin CC),default)
musl_libraries := $(addprefix $(musl)/lib/,libcdb.a libcares.a libhiredis.a libcjson.a)
CC := $(if $(filter-out $(wildcard $(musl_libraries)),$(musl_libraries)),cc,$(or $(notdir $(shell command -v musl-gcc)),cc))
endif
ifdef SANITIZE
CC := $(if $(filter musl-gcc,$(CC)),cc,$(CC))
endif
libc := $(if $(filter musl-gcc,$(notdir $(CC)))$(findstring musl,$(shell $(CC) -dumpmachine)),musl,system)
build := build$(if $(SANITIZE),/sanitize)

CFLAGS ?= -O2 -g
PROVE_FLAGS ?= -j3
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef -Wvla \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference $(WARNINGS)
hardening := -fPIE -fstack-protector-strong -fcf-protection -fno-common
language := -std=c11 -D_GNU_SOURCE -DCHAINMAIL_HOME='"$(home)"' -Ilib
all_cflags = $(language) $(warnings) $(hardening) $(CFLAGS) -ffunction-sections -fdata-sections -MMD -MP
all_ldflags = -Wl,--gc-sections -Wl,-z,relro,-z,now $(LDFLAGS)
ifdef SANITIZE
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSTR_NURSERY=1
all_ldflags += -fsanitize=address,undefined -pie
else ifeq ($(libc),musl)
language += $(if $(wildcard $(musl)/include),-isystem $(musl)/include)
# Nothing makes relro's pages read-only in these, and they cost a page fault.
# They are where they were linked to be: so tables of pointers are constant.
hardening := $(filter-out -fPIE,$(hardening)) -fno-pie
all_ldflags += -static -Wl,-z,norelro,-z,noseparate-code $(if $(wildcard $(musl)/lib),-L$(musl)/lib)
else
hardening += -fstack-clash-protection -D_FORTIFY_SOURCE=2
all_ldflags += -pie
endif
LDLIBS += -Wl,--as-needed -lcdb -lcares -lhiredis -lcjson

single := $(wildcard programs/*/*.c)
folders := $(patsubst %/,%,$(wildcard programs/*/*/))
# These are started once, or once for a login, and not for every client: what
# they need is the system's. There is no OpenSSL for musl, so nothing of theirs
# that needs it is in lib.
with_openssl := $(filter programs/tls/tlsd programs/tls/tlsc,$(folders))
with_crypt := $(filter programs/smtp/auth-cdb,$(folders))
with_system := $(with_openssl) $(with_crypt)
programs := $(addprefix $(build)/bin/,$(notdir $(single:.c=) $(folders)) qmail-smtpd)
# The same queue programs with a disk that lies: what a test of them must notice.
unsynced := $(patsubst programs/queue/%,$(build)/unsynced/%,$(filter programs/queue/queue-maildir programs/queue/qmail-queue,$(single:.c=) $(folders)))
units := $(patsubst tests/unit/%.c,$(build)/unit/%,$(wildcard tests/unit/*.c))
fuzzers := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
library := $(build)/libchainmail.a
# The folder that the project lies in may have blanks in its name.
with_build = BUILD="$$(cd $(build) && pwd)"
object = $(patsubst %.c,$(build)/objects/%.o,$(1))

all: $(programs)
	@echo "build: every program is in $(build)/bin, linked $(if $(filter musl,$(libc)),statically against musl,against the system's libc) by $(CC)$(if $(with_openssl),; $(notdir $(with_openssl)) against the system's OpenSSL)$(if $(with_crypt),; $(notdir $(with_crypt)) against its libcrypto and libcrypt)"

define program
$(build)/bin/$(notdir $(basename $(1))): $(call object,$(2)) $(library)
	@mkdir -p $$(@D)
	$$(CC) -o $$@ $$(filter-out $(build)/settings,$$^) $$(all_ldflags) $$(LDLIBS)
$(build)/unsynced/$(notdir $(basename $(1))): $(call object,$(2) tests/unsynced.c) $(library)
	@mkdir -p $$(@D)
	$$(CC) -o $$@ $$(filter-out $(build)/settings,$$^) -Wl,--wrap=fsync,--wrap=fdatasync,--wrap=openat,--wrap=linkat,--wrap=statfs,--wrap=sync_file_range $$(all_ldflags) $$(LDLIBS)
endef
$(foreach source,$(single),$(eval $(call program,$(source),$(source))))
$(foreach folder,$(filter-out $(with_system),$(folders)),$(eval $(call program,$(folder),$(wildcard $(folder)/*.c))))

ifeq ($(notdir $(CC)),musl-gcc)
from_system := $(addprefix $(build)/bin/,$(notdir $(with_system)))
$(from_system): with_system
	@mkdir -p $(@D)
	@cmp -s $(build)/system/bin/$(@F) $@ || ln -f $(build)/system/bin/$(@F) $@
# By one make: two would put one library together.
with_system:
	@$(MAKE) --no-print-directory CC=cc build=$(build)/system $(patsubst $(build)/bin/%,$(build)/system/bin/%,$(from_system))
else
$(foreach folder,$(with_system),$(eval $(call program,$(folder),$(wildcard $(folder)/*.c))))
$(addprefix $(build)/bin/,$(notdir $(with_openssl))): LDLIBS += -lssl -lcrypto
# A sanitizer has a crypt_r before it, which calls this one.
$(addprefix $(build)/bin/,$(notdir $(with_crypt))): LDLIBS += -lcrypto -Wl,--no-as-needed -lcrypt
endif

$(build)/bin/qmail-smtpd: $(build)/bin/smtpd
	ln -sf smtpd $@

$(library): $(call object,$(wildcard lib/*/*.c))
	@rm -f $@
	$(AR) rcs $@ $^

# The settings file makes a change of compiler or flags rebuild everything.
$(build)/objects/%.o: %.c $(build)/settings
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -c -o $@ $<

$(build)/settings: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(all_cflags) $(all_ldflags))' | cmp -s - $@ || \
	echo '$(CC) $(subst ','\'',$(all_cflags) $(all_ldflags))' > $@

$(build)/unit/%: $(build)/objects/tests/unit/%.o $(library)
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter-out $(build)/settings,$^) $(all_ldflags) $(LDLIBS)

# Loaded into programs of the system: with its libc, and without a sanitizer.
$(build)/port53.so: tests/port53.c
	@mkdir -p $(@D)
	cc -std=c11 -D_GNU_SOURCE $(warnings) -O2 -fPIC -shared -o $@ $<

check: all $(units) $(unsynced) $(build)/port53.so
	$(with_build) SANITIZE=$(SANITIZE) prove $(PROVE_FLAGS) $(or $(TESTS),$(units) $(wildcard tests/programs/*.t tests/peers/*.t))

fuzz:
	sh scripts/fuzz $(fuzzers)
lint:
	sh scripts/lint
bench: all $(build)/port53.so
	$(with_build) perl tests/bench/run $(BENCH)
run: all
	@exec env $(with_build) sh scripts/run
install: all
	BUILD=$(build) sh scripts/install install
uninstall:
	sh scripts/install uninstall
deps:
	sh scripts/with-deps
# One a line: the flags that scripts/lint gives to each compiler.
flags:
	@printf '%s\n' $(language) $(warnings)
format:
	clang-format -i $(wildcard lib/*/*.[ch] programs/*/*.[ch] programs/*/*/*.[ch] tests/*.[ch] tests/*/*.[ch])
clean:
	rm -rf build/bin build/port53.so build/objects build/unit build/unsynced build/fuzz build/sanitize build/system build/settings build/libchainmail.a

.PHONY: all with_system check fuzz lint bench run install uninstall deps flags format clean FORCE
.SECONDARY:
-include $(shell find $(build)/objects -name '*.d' 2>/dev/null)
