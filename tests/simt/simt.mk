# The simulated device: the CUDA backend's own sources, compiled against the stand-ins in tests/simt. Test code.
#   $(B)/jamroll-cuda-sim.so   a module of the same interface as jamroll-cuda.so
SIMT_C = $(wildcard src/compute/cuda/*.c)
SIMT_CU = $(wildcard src/compute/cuda/*.cu)
SIMT_CC = $(wildcard tests/simt/*.cc)
SIMT_OBJ = $(SIMT_C:%.c=$(B)/simt/%.o) $(SIMT_CU:%.cu=$(B)/simt/%.cu.o) $(SIMT_CC:%.cc=$(B)/simt/%.o)
# Minutes each; a GPU runs them (tests/gpu.sh).
SIMT_SLOW = musegan musegan_house cyclegan vqvae frames codes
SIMT_CXX ?= $(if $(findstring gcc,$(CC)),$(subst gcc,g++,$(CC)),$(CXX))
SIMT_FLAGS = -O3 -g -fPIC -fvisibility=hidden -fno-math-errno -ffp-contract=fast -fno-trapping-math -Wall -Wextra
ifeq ($(WERROR),1)
SIMT_FLAGS += -Werror
endif
ifeq ($(SAN),1)
SIMT_FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
endif

$(B)/jamroll-cuda-sim.so: $(SIMT_OBJ)
	$(SIMT_CXX) -shared $(LDFLAGS) -o $@ $^

$(B)/simt/src/compute/cuda/random.o: SIMT_FLAGS += -ffp-contract=off

$(B)/simt/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -Itests/simt $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(B)/simt/%.cu.o: %.cu
	@mkdir -p $(@D)
	$(SIMT_CXX) -std=c++17 -x c++ -Itests/simt -Iinclude $(SIMT_FLAGS) -MMD -MP -c -o $@ $<

$(B)/simt/%.o: %.cc
	@mkdir -p $(@D)
	$(SIMT_CXX) -std=c++17 -Itests/simt -Iinclude $(SIMT_FLAGS) -MMD -MP -c -o $@ $<

-include $(SIMT_OBJ:.o=.d)
