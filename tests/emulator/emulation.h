// Runs instructions that this CPU lacks, in place: SIGILL stops at one, the emulator takes over the thread's registers
// and runs the generated function to its end. So every kernel row runs on every machine that has AVX2, natively or
// emulated.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace neural_engine::emulator {

// The signal handler, for the rest of the process. False where the host lacks AVX2 and FMA, which the emulator uses.
bool install();

// What the emulator runs where the host does not: all but AVX512-FP16.
uint32_t emulated_isa_bits();

// The host's CPU together with what is emulated: what tests make kernels for. Installs the handler on first use.
// NE_MAX_ISA holds here too.
const CpuInfo& test_cpu();

// Whether kernels of this ISA run natively here.
bool is_native(Isa isa);

// Instructions that were emulated in this process, so that a test can tell that emulation took place.
uint64_t emulated_instructions();

}  // namespace neural_engine::emulator
