# What every target shares, and the three helpers that keep each folder's list at a few lines.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_library(bh_flags INTERFACE)
target_include_directories(bh_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(bh_flags INTERFACE _GNU_SOURCE BH_VERSION="${PROJECT_VERSION}")
target_compile_options(bh_flags INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wvla
	-Wno-sign-conversion -fno-omit-frame-pointer)
if(BH_WERROR)
	target_compile_options(bh_flags INTERFACE -Werror)
endif()
# What only a build for tests does: a refused system call ends its process, if the environment asks for it.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
	target_compile_definitions(bh_flags INTERFACE BH_FOR_TESTS=1)
endif()
if(BH_SANITIZE)
	target_compile_options(bh_flags INTERFACE -fsanitize=${BH_SANITIZE} -fno-sanitize-recover=all)
	target_link_options(bh_flags INTERFACE -fsanitize=${BH_SANITIZE})
	target_compile_definitions(bh_flags INTERFACE BH_SANITIZED=1)
endif()
if(NOT BH_SANITIZE AND NOT BH_FUZZ)
	target_link_options(bh_flags INTERFACE -static-libgcc) # the unwinder of common/crash.c: a shared one costs 0.1 ms of each start
endif()
if(BH_FUZZ)
	target_compile_options(bh_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BH_COVERAGE)
	target_compile_options(bh_flags INTERFACE --coverage)
	target_compile_definitions(bh_flags INTERFACE BH_COVERED=1)
	target_link_options(bh_flags INTERFACE --coverage)
endif()

# bh_add_library(NAME SOURCES a.c b.c LIBS x y): a static library of ours.
function(bh_add_library name)
	cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
	add_library(${name} STATIC ${A_SOURCES})
	target_link_libraries(${name} PUBLIC bh_flags ${A_LIBS})
endfunction()

# Everything that runs, and nothing that tests it.
add_custom_target(programs)

# bh_add_process(NAME SOURCES a.c LIBS x [DESCRIBED]): one process, one binary bh-NAME in bin/. A DESCRIBED
# process prints its configuration table (and parameters and actions) by --describe; the build keeps that
# next to the binary, in kinds/NAME.yaml, where bh-config finds it.
function(bh_add_process name)
	cmake_parse_arguments(A "DESCRIBED" "" "SOURCES;LIBS" ${ARGN})
	add_executable(bh-${name} ${A_SOURCES})
	target_link_libraries(bh-${name} PRIVATE bh_common ${A_LIBS})
	add_dependencies(programs bh-${name})
	install(TARGETS bh-${name} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/bulkhead)
	if(A_DESCRIBED)
		set(kind ${CMAKE_BINARY_DIR}/kinds/${name}.yaml)
		add_custom_command(OUTPUT ${kind}
			COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/kinds
			COMMAND bh-${name} --describe > ${kind}
			DEPENDS bh-${name} VERBATIM)
		add_custom_target(kind-${name} ALL DEPENDS ${kind})
		add_dependencies(programs kind-${name})
		install(FILES ${kind} DESTINATION ${CMAKE_INSTALL_DATADIR}/bulkhead/kinds)
	endif()
endfunction()

# bh_add_test(NAME LABEL unit|proc|... SOURCES a.c LIBS x [TIMEOUT s] [SERIAL]): a check program; each case
# runs in a process of its own.
function(bh_add_test name)
	cmake_parse_arguments(A "SERIAL" "LABEL;TIMEOUT" "SOURCES;LIBS;ARGS" ${ARGN})
	add_executable(${name} ${A_SOURCES})
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_link_libraries(${name} PRIVATE bh_common bh_test_scratch PkgConfig::CHECK ${A_LIBS})
	add_test(NAME ${name} COMMAND ${name} ${A_ARGS})
	if(NOT A_TIMEOUT)
		set(A_TIMEOUT 120)
	endif()
	# Limits end what hangs, and nothing else: on a busy machine a test may take many times as long as it does alone.
	math(EXPR A_TIMEOUT "5 * ${A_TIMEOUT}")
	set(env "BH_BIN=${CMAKE_BINARY_DIR}/bin;BH_SRC=${CMAKE_SOURCE_DIR};CK_DEFAULT_TIMEOUT=60;CK_TIMEOUT_MULTIPLIER=5")
	if(BH_SANITIZE)
		# Instrumented programs are many times slower, and it is memory that is looked at: fewer rounds will do.
		list(APPEND env BH_KILLS=5 BH_IDLE_S=5 BH_EVENTS=200000)
	endif()
	set_tests_properties(${name} PROPERTIES LABELS "${A_LABEL}" TIMEOUT ${A_TIMEOUT} ENVIRONMENT "${env}")
	if(A_SERIAL)
		set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
	endif()
endfunction()

# bh_add_fuzzer(NAME SOURCES a.c LIBS x SEEDS dir [RUNS n]): with -DBH_FUZZ=ON a libFuzzer program, run for a
# bounded number of inputs, and of seconds, by the label fuzz; nothing otherwise.
function(bh_add_fuzzer name)
	cmake_parse_arguments(A "" "SEEDS;RUNS" "SOURCES;LIBS" ${ARGN})
	if(NOT BH_FUZZ)
		return()
	endif()
	if(NOT A_RUNS)
		set(A_RUNS 200000)
	endif()
	add_executable(${name} ${A_SOURCES})
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_link_libraries(${name} PRIVATE bh_common ${A_LIBS})
	target_link_options(${name} PRIVATE -fsanitize=fuzzer)
	file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/corpus/${name})
	add_test(NAME ${name} COMMAND ${name} -runs=${A_RUNS} -max_total_time=30 -timeout=10
		${CMAKE_BINARY_DIR}/corpus/${name} ${A_SEEDS})
	set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 180)
endfunction()

# bh_add_soak(NAME): the long form of a test of the same folder; its report is kept in build/soak/
function(bh_add_soak name)
	get_test_property(${name} ENVIRONMENT env)
	add_test(NAME soak_${name} COMMAND ${name})
	set_tests_properties(soak_${name} PROPERTIES LABELS soak TIMEOUT 14400 RUN_SERIAL TRUE
		ENVIRONMENT "${env};BH_SOAK=1;CK_DEFAULT_TIMEOUT=14400;CK_TIMEOUT_MULTIPLIER=1;BH_BENCH_DIR=${CMAKE_SOURCE_DIR}/build/soak")
endfunction()
