# The names of the profiles, from the config file (TOML), line by line. bash and zsh both run these functions.
# A name is compared and offered, and never evaluated.

# Sets `config` to the config file's path, as tokenctl finds it. $1 is the value of --config.
__tokenctl_config() {
  config=$1
  [[ -z $config ]] || return 0
  if [[ -n ${TOKENCTL_CONFIG+set} ]]; then
    config=$TOKENCTL_CONFIG
    return 0
  fi
  case ${OSTYPE-} in
    darwin*) config="${HOME-}/Library/Application Support" ;;
    msys* | cygwin*) config=${APPDATA-} ;;
    *)
      config=${HOME-}/.config
      # A relative path would mean the current directory; tokenctl ignores it too.
      [[ ${XDG_CONFIG_HOME-} != /* ]] || config=$XDG_CONFIG_HOME
      ;;
  esac
  config=$config/tokenctl/config.toml
}

# Sets `found` to the names that the given lines have: a newline, then each name with a newline.
__tokenctl_names() {
  local line name pair section=top open=
  local blank='[[:blank:]]*' bare='[A-Za-z0-9][A-Za-z0-9_-]*' quoted='[A-Za-z0-9][A-Za-z0-9._-]*'
  local profiles="(profiles|\"profiles\"|'profiles')" key="(${bare}|\"${quoted}\"|'${quoted}')"
  local table="^\\[${blank}${profiles}${blank}([]]|\\.${blank}${key}${blank}[].])"
  local top="^${profiles}${blank}\\.${blank}${key}${blank}[.=]" # profiles.NAME.setting = ..., above the first table
  local inside="^(${blank})${key}${blank}[.=]"                   # NAME = {...}, or NAME.setting = ..., in [profiles]
  found=$'\n'
  for line; do
    if [[ -n $open ]]; then # inside a string that goes on
      case $line in *"$open"*) __tokenctl_strings "$line" ;; esac
      continue
    fi
    line=${line#"${line%%[![:blank:]]*}"}
    name=
    case $section$line in
      other[!\[]* | other) ;; # the settings of a profile
      $section\[*)
        section=other
        if [[ $line =~ $table ]]; then
          name=${BASH_REMATCH[3]}
          [[ -n $name ]] || section=profiles
        fi
        ;;
      *)
        pair=$inside
        [[ $section = profiles ]] || pair=$top
        if [[ $line =~ $pair ]]; then
          name=${BASH_REMATCH[2]}
        fi
        ;;
    esac
    name=${name//[\"\']/}
    if [[ -n $name && ${#name} -le 64 ]]; then
      case $found in
        *$'\n'"$name"$'\n'*) ;;
        *) found+=$name$'\n' ;;
      esac
    fi
    case $line in
      *'"""'* | *"'''"*) __tokenctl_strings "$line" ;;
    esac
  done
}

# Follows the strings of a line up to its end or its comment. Sets `open` to the quotation marks of a string that goes
# on in the next line: that line can look like a table, and is none.
__tokenctl_strings() {
  local rest=$1
  [[ ${#rest} -lt 10000 ]] || return 0 # no person wrote it, and it would take long
  while [[ -n $rest ]]; do
    case $open in
      '')
        rest=${rest#"${rest%%[\"\'#]*}"}
        case $rest in
          '"""'*) open='"""' ;;
          "'''"*) open="'''" ;;
          '"'*) open='"' ;;
          "'"*) open="'" ;;
          *) return 0 ;; # a comment, or nothing
        esac
        rest=${rest#"$open"}
        ;;
      \'*) # nothing escapes a quotation mark
        case $rest in
          *"$open"*) rest=${rest#*"$open"} ;;
          *) break ;;
        esac
        __tokenctl_closed
        ;;
      *)
        rest=${rest#"${rest%%[\"\\]*}"}
        case $rest in
          \\*) rest=${rest#?} rest=${rest#?} ;;
          "$open"*) rest=${rest#"$open"} && __tokenctl_closed ;;
          *) rest=${rest#?} ;;
        esac
        ;;
    esac
  done
  case $open in
    '"' | "'") open= ;; # not valid TOML: such a string ends with its line
  esac
}

# Ends a string. A multi-line one can have one or two quotation marks of its own just before its end.
__tokenctl_closed() {
  case $open in
    ???) rest=${rest#"${open%??}"} rest=${rest#"${open%??}"} ;;
  esac
  open=
}
