# jamroll. Everything is built under $(B); nothing outside it is written but by `install` and `format`.
#
#   make             the program $(B)/jamroll (and the library $(B)/libjamroll.a)
#   make check       unit tests, layers, command-line and screen tests (SAN=1: address and UB sanitizers)
#   make check-interop  what other programs read in our files (needs large packages; see tests/interop)
#   make tsan        the tests of threads, rings and queues under the thread sanitizer
#   make check-midi  PortMidi through a kernel's own sequencer, in QEMU
#   make check-audio live sound through a PulseAudio null sink against the offline render
#   make bench       speed, as ratios measured in one run
#   make man         manual pages, woven from man/ and the program's own tables
#   make install     into $(DESTDIR)$(PREFIX); `uninstall` takes away what it put there
#   make layers      includes point only downwards
#   make size        files over 800 lines, functions over 70
#   make format      clang-format; format-check only looks
#   make clean
#
# Parts: make unit T=midi (one unit test), make lib MODULES="base music" (a part of the library).
# Variables: CC, SAN=0|1, CUDA=0|1|auto, PREFIX, DESTDIR, WERROR=0|1, B (build folder).
#
# CUDA: the kernels for GPUs are a module of their own, $(B)/jamroll-cuda.so, which the program loads when it is asked
# for that device. auto builds it where a toolkit is found (CUDA_HOME, else the nvcc of the PATH), 1 insists, 0 does not.
# CUDA_ARCHS are the GPUs it is for. `make check` runs the same sources on a simulated device, with or without.

.DEFAULT_GOAL = all
VERSION = 0.1.0
SAN ?= 0
CUDA ?= auto
WERROR ?= 1
PREFIX ?= /usr/local
DESTDIR ?=
B ?= build$(if $(filter 1,$(SAN)),/san)
MODULES ?= base music compute nn model audio engine app
PKGS = ncursesw fluidsynth sndfile jansson zlib libpng

CFLAGS ?= -O3 -g
CFLAGS += -std=gnu11 -fno-math-errno -ffp-contract=fast -fno-trapping-math
CFLAGS += -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
# Asked once, not at every use.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(PKGS))
CPPFLAGS += -Iinclude -D_GNU_SOURCE -DJAMROLL_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
LDLIBS += $(PKG_LIBS) -lportmidi -lpthread -lm -ldl
ifeq ($(WERROR),1)
CFLAGS += -Werror
endif
LDFLAGS += -rdynamic # the module calls back
ifeq ($(SAN),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O2
LDFLAGS += -fsanitize=address,undefined
endif

include src/compute/cuda/cuda.mk

LIB_SRC = $(filter-out src/compute/cuda/%,$(foreach m,$(MODULES),$(wildcard src/$(m)/*.c src/$(m)/*/*.c)))
FRONT_SRC = $(wildcard src/tui/*.c src/cli/*.c)
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
FRONT_OBJ = $(FRONT_SRC:%.c=$(B)/%.o)
TESTS = $(patsubst tests/unit/test_%.c,$(B)/unit/test_%,$(wildcard tests/unit/test_*.c))
TEST_LIB = $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
BENCHES = $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
CLI_TESTS = $(wildcard tests/cli/*.sh)
SCREEN_TESTS = $(wildcard tests/screen/*.sh)
# What these do at length goes through the same code as the unit tests, at twenty times the time: ALL=1 has them sanitized.
SAN_SKIPS = %/shows.sh %/band.sh %/train.sh tests/screen/transfer.sh
ifeq ($(SAN)$(ALL),1)
CLI_TESTS := $(filter-out $(SAN_SKIPS),$(CLI_TESTS))
SCREEN_TESTS := $(filter-out $(SAN_SKIPS),$(SCREEN_TESTS))
endif
# Tests of files of the front ends see those too; all others link the library alone.
FRONT_TESTS = $(foreach f,$(FRONT_SRC),$(B)/unit/test_$(basename $(notdir $(f))))

all: $(B)/jamroll $(CUDA_MODULE)

lib: $(B)/libjamroll.a

$(B)/jamroll: $(B)/src/main.o $(B)/libfront.a $(B)/libjamroll.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libjamroll.a: $(LIB_OBJ)
$(B)/libfront.a: $(FRONT_OBJ)
$(B)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

# ISA-specific kernels carry their own flags; everything else runs on any x86-64 (or other) machine.
$(B)/src/compute/cpu/%_avx512.o: CFLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512
$(B)/src/compute/cpu/%_avx2.o: CFLAGS += -mavx2 -mfma
# Random numbers are the same bytes on every device: nothing is multiplied and added in one.
$(B)/src/compute/cpu/random.o: CFLAGS += -ffp-contract=off

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/%.o: CPPFLAGS += -Itests/lib -Isrc

$(filter $(FRONT_TESTS),$(TESTS)): $(B)/libfront.a
$(B)/unit/test_%: $(B)/tests/unit/test_%.o $(TEST_LIB) $(B)/libjamroll.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter-out %.a,$^) $(filter %/libfront.a,$^) $(B)/libjamroll.a $(LDLIBS) -lcmocka

$(B)/bench/%: $(B)/tests/bench/%.o $(B)/tests/lib/ref.o $(B)/tests/lib/bench.o $(B)/libjamroll.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libjamroll.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# One unit test: make unit T=midi
unit: $(B)/unit/test_$(T)
	$(B)/unit/test_$(T)

# The tests of whatever computes, once more on the simulated device: the module's own sources, compiled for the host.
include tests/simt/simt.mk
ifneq ($(SAN),1)
SIM_TESTS = $(patsubst %,$(B)/sim/sim_test_%,$(filter-out $(SIMT_SLOW),$(DEVICE_TESTS)))
endif
$(B)/sim/sim_%: $(B)/unit/% $(B)/jamroll-cuda-sim.so
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nJAMROLL_TEST_DEVICE=cuda JAMROLL_CUDA=%s exec %s\n' $(B)/jamroll-cuda-sim.so $< > $@ && chmod +x $@

check: $(B)/jamroll $(CUDA_MODULE) $(TESTS) $(SIM_TESTS) $(B)/fuzz/mutate $(B)/fuzz/killed
	@JAMROLL=$(B)/jamroll SAN=$(SAN) ALL=$(ALL) tests/tools/check.sh $(B)/check $(TESTS) $(SIM_TESTS) $(B)/fuzz/mutate $(B)/fuzz/killed \
		tests/tools/layers.sh tests/tools/layers_test.sh $(CLI_TESTS) $(SCREEN_TESTS)

# Compiled apart: every object has to carry the sanitizer.
TSAN_TESTS = pool ring
tsan:
	@mkdir -p $(B)/tsan
	@for t in $(TSAN_TESTS); do \
		$(CC) $(CPPFLAGS) $(CFLAGS) -O1 -fsanitize=thread -Itests/lib -Isrc -o $(B)/tsan/test_$$t \
			tests/unit/test_$$t.c src/base/*.c -lcmocka -lm -lpthread && $(B)/tsan/test_$$t || exit 1; \
	done

# Real devices on a machine that has none; they need large packages, so they are no part of `check`.
$(B)/machine/%: $(B)/tests/machine/%.o $(B)/libjamroll.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lasound
check-midi: $(B)/jamroll $(B)/machine/midi_listen $(B)/machine/midi_play
	@JAMROLL=$(B)/jamroll LISTENER=$(B)/machine/midi_listen PIANIST=$(B)/machine/midi_play tests/machine/midi.sh
check-interop: $(B)/jamroll
	@JAMROLL=$(B)/jamroll tests/interop/interop.sh

check-audio: $(B)/jamroll $(B)/machine/audio_compare
	@JAMROLL=$(B)/jamroll COMPARE=$(B)/machine/audio_compare tests/machine/audio.sh

benches: $(BENCHES)
bench: $(B)/jamroll $(BENCHES)
	@for b in $(BENCHES); do echo "== $$b"; $$b || exit 1; done

layers:
	@tests/tools/layers.sh

size:
	@tests/tools/size.sh

C_FILES = $(shell find src include tests -name '*.[ch]')
format:
	clang-format -i $(C_FILES)
format-check:
	clang-format --dry-run --Werror $(C_FILES)

# Completions and manual pages come from the program's own tables, so they cannot grow old.
COMPLETIONS = $(B)/jamroll.bash $(B)/jamroll.zsh $(B)/jamroll.fish
$(COMPLETIONS): $(B)/jamroll.%: $(B)/jamroll
	$(B)/jamroll completion $* > $@.new && mv $@.new $@

PAGES = $(patsubst man/%.in,$(B)/man/%,$(wildcard man/*.in))
man: $(PAGES)
$(B)/man/%: man/%.in man/weave.sh $(B)/jamroll
	@mkdir -p $(@D)
	man/weave.sh $(B)/jamroll $< > $@.new && mv $@.new $@

SHARE = $(DESTDIR)$(PREFIX)/share
DATA = $(SHARE)/jamroll
COMPLETION = $(SHARE)/bash-completion/completions/jamroll
ZSH_COMPLETION = $(SHARE)/zsh/site-functions/_jamroll
FISH_COMPLETION = $(SHARE)/fish/vendor_completions.d/jamroll.fish
MODULE_DIR = $(DESTDIR)$(PREFIX)/lib/jamroll
install: $(B)/jamroll $(CUDA_MODULE) $(COMPLETIONS) $(PAGES)
	install -D -m 755 $(B)/jamroll $(DESTDIR)$(PREFIX)/bin/jamroll
	$(if $(CUDA_MODULE),install -D -m 755 $(CUDA_MODULE) $(MODULE_DIR)/jamroll-cuda.so)
	install -D -m 644 $(B)/jamroll.bash $(COMPLETION)
	install -D -m 644 $(B)/jamroll.zsh $(ZSH_COMPLETION)
	install -D -m 644 $(B)/jamroll.fish $(FISH_COMPLETION)
	install -d $(DATA)/models $(DATA)/soundfonts $(DATA)/seeds $(DATA)/configs
	for f in $(wildcard models/*.safetensors models/*.txt); do install -m 644 $$f $(DATA)/models/ || exit 1; done
	for f in $(wildcard soundfonts/*); do install -m 644 $$f $(DATA)/soundfonts/ || exit 1; done
	for f in $(wildcard assets/seeds/*); do install -m 644 $$f $(DATA)/seeds/ || exit 1; done
	for f in $(wildcard assets/configs/*.conf); do install -m 644 $$f $(DATA)/configs/ || exit 1; done
	for f in $(PAGES); do install -D -m 644 $$f $(SHARE)/man/man$${f##*.}/$${f##*/} || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/jamroll $(COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION)
	for f in $(PAGES); do rm -f $(SHARE)/man/man$${f##*.}/$${f##*/}; done
	rm -rf $(DATA) $(MODULE_DIR)

clean:
	rm -rf build

DEPS = $(LIB_OBJ:.o=.d) $(FRONT_OBJ:.o=.d) $(B)/src/main.d $(TEST_LIB:.o=.d) \
	$(TESTS:$(B)/unit/%=$(B)/tests/unit/%.d) $(BENCHES:$(B)/bench/%=$(B)/tests/bench/%.d)
-include $(DEPS)

.PHONY: all lib unit cuda check check-midi check-interop man tsan benches bench list-device-tests layers size format format-check install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:
