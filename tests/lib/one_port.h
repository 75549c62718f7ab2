/* one_port.h: what PortMidi says where there is one device; included, it takes the library's place in the test. */
#pragma once
#include <portmidi.h>

PmError Pm_Initialize(void)
{
    return pmNoError;
}

PmError Pm_Terminate(void)
{
    return pmNoError;
}

int Pm_CountDevices(void)
{
    return 1;
}
