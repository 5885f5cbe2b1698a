// Gathers the kernels of the instruction set whose simd header was included before into its table.
#pragma once

#include "tars/kernels.h"

#include "vector_math.h"

#include "finish.h"
#include "quantise.h"

#include "matmul_float.h"
#include "matmul_quantised.h"

#include "attention.h"

namespace tars {
namespace TARS_ISA {

void multiply(const MatMulTask& task, size_t firstGroup, size_t numGroups, size_t firstPanel, size_t endPanel) {
  if (isQuantised(task.type)) {
    multiplyQuantised(task, firstGroup, numGroups, firstPanel, endPanel);
  } else {
    multiplyFloat(task, firstGroup, numGroups, firstPanel, endPanel);
  }
}

extern const KernelTable kTable = {
    kName,      kPanelRows, kFloatPanelRows, quantisePanel, multiply, attentionScratchBytes,
    attendPart, mergeParts, finishRow,       storeRow,
};

}  // namespace TARS_ISA
}  // namespace tars
