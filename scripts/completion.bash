# bash completion for neural_engine
_neural_engine() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "run evaluate benchmark inspect convert quantize tune compare --help --version" -- "$word"))
  elif [[ $word == --* && $word != *=* ]]; then
    local flags
    flags=$(neural_engine "${COMP_WORDS[1]}" --help 2>/dev/null | sed -n 's/^  \(--[a-z_]*\).*/\1=/p')
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    compopt -o nospace
  else
    COMPREPLY=($(compgen -f -- "${word#*=}"))
  fi
}
complete -F _neural_engine neural_engine
