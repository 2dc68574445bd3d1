// Which tensor of a SavedModel's bundle is the value of which variable.
#pragma once

#include <map>
#include <string>

#include "tensorflow.pb.h"

namespace neural_engine {

// What a VarHandleOp or VariableV2 stands for: nodes of one shared name are one variable. `prefix` is that of the
// scope.
std::string variable_name(const tf::NodeDef& node, const std::string& prefix);

// Names of tensors in the bundle, by variable_name, as the graph itself restores them: the assignments of what
// RestoreV2 read, at the top of the graph and in the function that the saver's node calls.
std::map<std::string, std::string> restored_variables(const tf::MetaGraphDef& model);

}  // namespace neural_engine
